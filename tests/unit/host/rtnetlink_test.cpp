#include "ip.hpp"
#include "link.hpp"
#include "neighbour.hpp"
#include "recorded_rtnetlink.hpp"
#include "route.hpp"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

namespace dpdkperf::host {
namespace {

template <std::size_t N>
const nlmsghdr& message(const unsigned char (&bytes)[N])
{
    return *reinterpret_cast<const nlmsghdr*>(bytes);
}

TEST(ParseLink, ReadsAVethPair)
{
    const auto veth = parse_link(message(recorded::kVeth));
    ASSERT_TRUE(veth);
    EXPECT_EQ(veth->index, 10U);
    EXPECT_EQ(veth->name, "hx0");
    EXPECT_EQ(veth->kind, "veth");
    EXPECT_EQ(to_string(veth->mac), "02:00:00:00:00:01");
    EXPECT_EQ(veth->mtu_bytes, 1400U);
    EXPECT_TRUE(veth->up);
    EXPECT_TRUE(veth->running);
    EXPECT_TRUE(veth->ethernet);
    EXPECT_FALSE(veth->loopback);
    EXPECT_GE(veth->rx_queues, 1U);
    EXPECT_EQ(veth->xdp_program, 0U);
}

TEST(ParseLink, KnowsWhatCarriesNoEthernetFrames)
{
    const auto loopback = parse_link(message(recorded::kLoopback));
    ASSERT_TRUE(loopback);
    EXPECT_TRUE(loopback->loopback);
    EXPECT_FALSE(loopback->ethernet);

    const auto tun = parse_link(message(recorded::kTun));
    ASSERT_TRUE(tun);
    EXPECT_EQ(tun->kind, "tun");
    EXPECT_FALSE(tun->ethernet);
    EXPECT_FALSE(tun->up);
    EXPECT_FALSE(tun->running);
}

TEST(ParseLink, DoesNotTakeABridgesPortForALink)
{
    EXPECT_FALSE(parse_link(message(recorded::kBridgePortLeaves)));
}

TEST(ParseRoute, FindsInterfaceSourceAndGateway)
{
    struct Case {
        const char* what;
        const nlmsghdr& answer;
        std::uint8_t type;
        std::string_view source;
        std::optional<IpAddress> gateway;
    };
    const Case cases[] = {
        {"on link", message(recorded::kRouteOnLink), RTN_UNICAST, "10.9.0.1", {}},
        {"gateway", message(recorded::kRouteViaGateway), RTN_UNICAST, "10.9.0.1", ip("10.9.0.2")},
        {"IPv4 by IPv6", message(recorded::kRouteVia6), RTN_UNICAST, "10.9.0.1", ip("fd09::2")},
        {"IPv6", message(recorded::kRoute6ViaGateway), RTN_UNICAST, "fd09::1", ip("fd09::2")},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        const auto route = parse_route(c.answer);
        ASSERT_TRUE(route);
        EXPECT_EQ(route->type, c.type);
        EXPECT_EQ(route->interface_index, 10U);
        EXPECT_EQ(route->source, ip(c.source));
        EXPECT_EQ(route->gateway, c.gateway);
    }
}

TEST(ParseRoute, SeesThatAnAddressIsOurOwn)
{
    const auto route = parse_route(message(recorded::kRouteLocal));
    ASSERT_TRUE(route);
    EXPECT_EQ(route->type, RTN_LOCAL);
}

TEST(ParseNeighbour, GivesAMacOnlyWhileItIsUsable)
{
    const auto permanent = parse_neighbour(message(recorded::kNeighbourPermanent));
    ASSERT_TRUE(permanent);
    EXPECT_EQ(permanent->interface_index, 10U);
    EXPECT_EQ(permanent->address, ip("10.9.0.2"));
    ASSERT_TRUE(permanent->mac);
    EXPECT_EQ(to_string(*permanent->mac), "02:00:00:00:00:02");

    const auto failed = parse_neighbour(message(recorded::kNeighbourFailed));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->address, ip("10.9.0.3"));
    EXPECT_FALSE(failed->mac);

    const auto deleted = parse_neighbour(message(recorded::kNeighbourDeleted));
    ASSERT_TRUE(deleted);
    EXPECT_EQ(deleted->address, ip("10.9.0.2"));
    EXPECT_FALSE(deleted->mac);
}

TEST(ParseNeighbour, DoesNotTakeATunnelsTableForOurs)
{
    EXPECT_FALSE(parse_neighbour(message(recorded::kTunnelEntry)));
}

// The kernel would never cut a message; a bug of ours in handling lengths could.
TEST(Parsers, SurviveMessagesThatEndEarly)
{
    for (std::uint32_t length = sizeof(nlmsghdr); length < sizeof recorded::kVeth; length += 4) {
        std::vector<unsigned char> bytes{recorded::kVeth, recorded::kVeth + length};
        auto& header = *reinterpret_cast<nlmsghdr*>(bytes.data());
        header.nlmsg_len = length;
        const auto link = parse_link(header);
        EXPECT_EQ(link.has_value(), length >= sizeof(nlmsghdr) + sizeof(ifinfomsg));
        for (const std::uint16_t type : {RTM_NEWROUTE, RTM_NEWNEIGH}) {
            header.nlmsg_type = type;
            (void)parse_route(header);
            (void)parse_neighbour(header);
        }
    }
}

TEST(RouteTo, KnowsThatLoopbackIsThisMachine)
{
    for (const char* text : {"127.0.0.1", "127.3.2.1"}) {
        const auto route = route_to(ip(text), {}, {});
        ASSERT_TRUE(route) << route.error().message;
        EXPECT_TRUE(route->local);
        EXPECT_TRUE(route->interface.loopback);
    }
}

TEST(RouteTo, RejectsWhatHasNoRouteByDefinition)
{
    struct Case {
        std::string_view destination;
        std::optional<std::string> interface;
        std::string_view message;
    };
    const Case cases[] = {
        {"fe80::1", {}, "link-local address fe80::1 needs an interface (fe80::1%interface)"},
        {"127.0.0.1", "hx-nowhere", "interface hx-nowhere does not exist"},
        {"127.0.0.1", "a-name-longer-than-the-kernel-allows",
            "interface a-name-longer-than-the-kernel-allows does not exist"},
        {"127.0.0.1", "", "interface  does not exist"},
    };
    for (const Case& c : cases) {
        const auto route = route_to(ip(c.destination), {}, c.interface);
        ASSERT_FALSE(route);
        EXPECT_EQ(route.error().message, c.message);
    }
}

TEST(InterfaceWith, FindsTheHolderOfAnAddress)
{
    const auto holder = interface_with(ip("127.0.0.1"));
    ASSERT_TRUE(holder) << holder.error().message;
    EXPECT_TRUE(holder->loopback);

    const auto nobody = interface_with(ip("192.0.2.77"));  // RFC 5737: documentation
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().message, "no interface has the address 192.0.2.77");
}

}  // namespace
}  // namespace dpdkperf::host
