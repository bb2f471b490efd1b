#include "dpdkperf/host/netlink.hpp"
#include "dpdkperf/host/tap.hpp"
#include "lab.hpp"

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace dpdkperf::host {
namespace {

using namespace std::chrono_literals;

constexpr Mac kMac{{2, 0, 0, 0, 0, 7}};
constexpr Mac kPeer{{2, 0, 0, 0, 0, 8}};

TapSettings settings(std::vector<std::string> addresses, std::uint32_t mtu_bytes = 1500)
{
    TapSettings s{.name = "taptest%d", .mac = kMac, .mtu_bytes = mtu_bytes, .addresses = {}};
    for (const std::string& a : addresses) {
        s.addresses.push_back(*IpPrefix::parse(a));
    }
    return s;
}

// The next frame of this EtherType that the kernel sends through the TAP.
std::vector<std::uint8_t> next_frame(const Tap& tap, std::uint16_t ether_type)
{
    std::array<std::uint8_t, 2048> frame{};
    for (int i = 0; i < 100; ++i) {
        pollfd readable{tap.fd(), POLLIN, 0};
        poll(&readable, 1, 100);
        const auto n = read(tap.fd(), frame.data(), frame.size());
        if (n > 14 && (frame[12] << 8 | frame[13]) == ether_type) {
            return {frame.begin(), frame.begin() + n};
        }
    }
    return {};
}

TEST(Tap, IsAnInterfaceWithItsSettingsUntilItIsClosed)
{
    std::string name;
    {
        const auto tap = Tap::open(settings({"10.8.0.1/24", "fd08::1/64"}, 9000));
        ASSERT_TRUE(tap) << tap.error().message;
        name = tap->name();
        EXPECT_EQ(name, "taptest0");
        const auto seen = interface_by_name(name);
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->index, tap->index());
        EXPECT_EQ(seen->mac, kMac);
        EXPECT_EQ(seen->mtu_bytes, 9000U);
        EXPECT_TRUE(seen->up);
        EXPECT_TRUE(seen->running);
        EXPECT_EQ(seen->kind, "tun");
        for (const char* address : {"10.8.0.1", "fd08::1"}) {
            const auto holder = interface_with(*IpAddress::parse(address));
            ASSERT_TRUE(holder) << address;
            EXPECT_EQ(holder->name, name);
        }
        const auto route = route_to(*IpAddress::parse("10.8.0.2"), {}, {});
        ASSERT_TRUE(route);
        EXPECT_EQ(route->interface.name, name);
        EXPECT_EQ(to_string(route->source), "10.8.0.1");
    }
    EXPECT_FALSE(interface_by_name(name));
}

TEST(Tap, SecondOneGetsTheNextNumber)
{
    const auto first = Tap::open(settings({}));
    const auto second = Tap::open(settings({}));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(second->name(), "taptest1");
}

// The kernel asks for the neighbour through the TAP and takes the answer that is written to it.
TEST(Tap, CarriesFramesBothWays)
{
    const auto tap = Tap::open(settings({"10.8.0.1/24"}));
    ASSERT_TRUE(tap) << tap.error().message;
    const auto interface = interface_by_index(tap->index());
    ASSERT_TRUE(interface);
    std::optional<Result<Mac>> resolved;
    std::jthread asking{
        [&] { resolved = resolve_neighbour(*interface, *IpAddress::parse("10.8.0.2"), 3s); }};
    auto arp = next_frame(*tap, 0x0806);
    ASSERT_GE(arp.size(), 42U);
    EXPECT_EQ(std::memcmp(&arp[6], kMac.bytes.data(), 6), 0);
    // Turn the question into its answer (RFC 826): operation 2, sender and target exchanged.
    arp[21] = 2;
    std::swap_ranges(&arp[22], &arp[32], &arp[32]);
    std::copy(kPeer.bytes.begin(), kPeer.bytes.end(), &arp[22]);
    std::copy(kMac.bytes.begin(), kMac.bytes.end(), &arp[0]);
    std::copy(kPeer.bytes.begin(), kPeer.bytes.end(), &arp[6]);
    ASSERT_EQ(write(tap->fd(), arp.data(), arp.size()), static_cast<ssize_t>(arp.size()));
    asking.join();
    ASSERT_TRUE(resolved && *resolved) << resolved->error().message;
    EXPECT_EQ(**resolved, kPeer);
}

TEST(Tap, ShowsItsCarrier)
{
    const auto tap = Tap::open(settings({}));
    ASSERT_TRUE(tap);
    tap->set_carrier(false);
    EXPECT_FALSE(interface_by_index(tap->index())->running);
    tap->set_carrier(true);
    EXPECT_TRUE(interface_by_index(tap->index())->running);
}

TEST(Tap, RoutesThroughAGateway)
{
    const auto tap = Tap::open(settings({"10.8.0.1/24", "fd08::1/64"}));
    ASSERT_TRUE(tap);
    struct Case {
        const char* destination;
        const char* gateway;
        const char* host;
    };
    const Case cases[] = {
        {"192.0.2.7/32", "10.8.0.254", "192.0.2.7"},
        {"0.0.0.0/0", "10.8.0.253", "198.51.100.1"},
        {"2001:db8::7/128", "fd08::fe", "2001:db8::7"},
        {"::/0", "fd08::fd", "2001:db8:1::1"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.destination);
        for (int twice = 0; twice < 2; ++twice) {
            const auto added =
                tap->add_route(*IpPrefix::parse(c.destination), *IpAddress::parse(c.gateway));
            ASSERT_TRUE(added) << added.error().message;
        }
        const auto route = route_to(*IpAddress::parse(c.host), {}, {});
        ASSERT_TRUE(route) << route.error().message;
        EXPECT_EQ(to_string(route->next_hop), c.gateway);
    }
    const auto status =
        tap->add_route(*IpPrefix::parse("192.0.2.8/32"), *IpAddress::parse("10.7.0.1"));
    ASSERT_FALSE(status);
    EXPECT_EQ(
        status.error().message, "route to 192.0.2.8/32 through 10.7.0.1: Network is unreachable");
}

TEST(Tap, RefusesWhatCannotBeAndLeavesNothing)
{
    const Lab lab;  // hx0 has 10.9.0.1
    struct Case {
        TapSettings settings;
        std::string message;
    };
    TapSettings nameless = settings({});
    nameless.name = "a-name-that-is-too-long";
    const Case cases[] = {
        {settings({"10.9.0.1/24"}),
            "interface hx0 has the address 10.9.0.1 already; give the port another one, or remove "
            "it with 'ip address del 10.9.0.1/LENGTH dev hx0'"},
        {settings({"fd08::1/64"}, 1000),
            "fd08::1/64: IPv6 needs an MTU of at least 1280, not 1000"},
        {settings({}, 67), "interface taptest0: MAC 02:00:00:00:00:07, MTU 67: Invalid argument"},
        {nameless, "'a-name-that-is-too-long' is no name for an interface"},
    };
    for (const Case& c : cases) {
        const auto tap = Tap::open(c.settings);
        ASSERT_FALSE(tap) << c.message;
        EXPECT_EQ(tap.error().message, c.message);
        EXPECT_FALSE(interface_by_name("taptest0"));
    }
}

}  // namespace
}  // namespace dpdkperf::host
