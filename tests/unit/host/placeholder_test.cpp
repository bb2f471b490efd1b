#include "dpdkperf/host/placeholder.hpp"
#include "ip.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace dpdkperf::host {
namespace {

TEST(PlaceholderSocket, HoldsThePortThatTheKernelChose)
{
    for (const char* address : {"127.0.0.1", "0.0.0.0", "::1", "::"}) {
        const auto first = PlaceholderSocket::bind({ip(address), 0});
        ASSERT_TRUE(first) << first.error().message;
        EXPECT_NE(first->port(), 0);

        const auto second = PlaceholderSocket::bind({ip(address), first->port()});
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Errc::kBusy);
        EXPECT_EQ(second.error().message,
            "UDP port " + std::to_string(first->port()) + " on " + address + " is in use");
    }
}

TEST(PlaceholderSocket, SharesThePortWithThoseWhoDoSo)
{
    const auto bind = [](std::uint16_t port, PlaceholderSocket::Use use) {
        return PlaceholderSocket::bind({ip("127.0.0.1"), port}, 0, IpProtocol::kUdp, use);
    };
    using enum PlaceholderSocket::Use;
    const auto first = bind(0, kShared);
    ASSERT_TRUE(first);
    EXPECT_TRUE(bind(first->port(), kShared));
    EXPECT_FALSE(bind(first->port(), kAlone));
    const auto alone = bind(0, kAlone);
    ASSERT_TRUE(alone);
    EXPECT_FALSE(bind(alone->port(), kShared));
}

TEST(PlaceholderSocket, GivesThePortBack)
{
    std::uint16_t port = 0;
    {
        const auto first = PlaceholderSocket::bind({ip("127.0.0.1"), 0});
        ASSERT_TRUE(first);
        port = first->port();
    }
    EXPECT_TRUE(PlaceholderSocket::bind({ip("127.0.0.1"), port}));
}

TEST(PlaceholderSocket, FamiliesDoNotDisturbEachOther)
{
    const auto v6 = PlaceholderSocket::bind({ip("::"), 0});
    ASSERT_TRUE(v6);
    EXPECT_TRUE(PlaceholderSocket::bind({ip("0.0.0.0"), v6->port()}));
}

TEST(PlaceholderSocket, SaysWhenTheAddressIsNotOurs)
{
    const auto foreign = PlaceholderSocket::bind({ip("192.0.2.1"), 5201});
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().code, Errc::kNotFound);
    EXPECT_EQ(foreign.error().message,
        "UDP port 5201 on 192.0.2.1: 192.0.2.1 is not an address of this machine");
}

TEST(PlaceholderSocket, QueuesNextToNothing)
{
    const auto socket = PlaceholderSocket::bind({ip("127.0.0.1"), 0});
    ASSERT_TRUE(socket);
    int bytes = 0;
    socklen_t length = sizeof bytes;
    ASSERT_EQ(getsockopt(socket->fd(), SOL_SOCKET, SO_RCVBUF, &bytes, &length), 0);
    EXPECT_LE(bytes, 4096);
}

}  // namespace
}  // namespace dpdkperf::host
