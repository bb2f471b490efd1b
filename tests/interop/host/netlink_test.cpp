#include "dpdkperf/host/netlink.hpp"
#include "ip.hpp"
#include "lab.hpp"

#include <gtest/gtest.h>
#include <poll.h>

namespace dpdkperf::host {
namespace {

using namespace std::chrono_literals;

class NetlinkTest : public testing::Test {
protected:
    NetlinkTest() { run("ip link set lo up"); }

    Interface hx0()
    {
        auto found = interface_by_name("hx0");
        if (!found) {
            throw std::runtime_error{found.error().message};
        }
        return *found;
    }
    Lab lab_;
};

TEST_F(NetlinkTest, DescribesAnInterfaceByNameIndexAndAddress)
{
    const Result<Interface> found[] = {interface_by_name("hx0"), interface_by_index(10),
        interface_with(ip("10.9.0.1")), interface_with(ip("fd09::1"))};
    for (const auto& i : found) {
        ASSERT_TRUE(i) << i.error().message;
        EXPECT_EQ(i->name, "hx0");
        EXPECT_EQ(i->index, 10U);
        EXPECT_EQ(i->kind, "veth");
        EXPECT_EQ(to_string(i->mac), "02:00:00:00:00:01");
        EXPECT_TRUE(i->up && i->running && i->ethernet);
    }
}

TEST_F(NetlinkTest, FindsAlternativeNames)
{
    run("ip link property add dev hx0 altname hx-with-a-name-that-is-longer");
    const auto i = interface_by_name("hx-with-a-name-that-is-longer");
    ASSERT_TRUE(i) << i.error().message;
    EXPECT_EQ(i->name, "hx0");
}

TEST_F(NetlinkTest, SeesUpWithoutCarrier)
{
    lab_.run_at_peer("ip link set hx1 down");
    EXPECT_TRUE(hx0().up);
    EXPECT_FALSE(hx0().running);
    run("ip link set hx0 down");
    EXPECT_FALSE(hx0().up);
}

TEST_F(NetlinkTest, CountsTheQueuesInUse)
{
    run("ip link add hxq0 numrxqueues 4 numtxqueues 4 type veth peer name hxq1");
    const auto i = interface_by_name("hxq0");
    ASSERT_TRUE(i);
    EXPECT_EQ(i->rx_queues, 4U);
    run("ethtool -L hxq0 rx 3 tx 3");
    const auto active = active_rx_queues(*i);
    ASSERT_TRUE(active) << active.error().message;
    EXPECT_EQ(*active, 3U);
    run("ip link del hxq0");
}

TEST_F(NetlinkTest, RoutesAsTheKernelDoes)
{
    run(R"(
        ip addr add 10.9.0.11/24 dev hx0
        ip route add 10.8.0.0/16 via 10.9.0.2
        ip route add 10.7.0.0/16 via inet6 fd09::2 dev hx0
        ip -6 route add fd08::/64 via fd09::2
    )");
    struct Case {
        std::string_view destination, source, expected_source, next_hop;
    };
    const Case cases[] = {
        {"10.9.0.2", "", "10.9.0.1", "10.9.0.2"},
        {"10.9.0.2", "10.9.0.11", "10.9.0.11", "10.9.0.2"},
        {"10.8.1.1", "", "10.9.0.1", "10.9.0.2"},
        {"10.8.1.1", "10.9.0.11", "10.9.0.11", "10.9.0.2"},
        {"10.7.1.1", "", "10.9.0.1", "fd09::2"},
        {"fd09::2", "", "fd09::1", "fd09::2"},
        {"fd08::1", "", "fd09::1", "fd09::2"},
        {"fd08::1", "fd09::1", "fd09::1", "fd09::2"},
    };
    for (const Case& c : cases) {
        for (const bool through_hx0 : {false, true}) {
            SCOPED_TRACE(std::string{c.destination} + " from " + std::string{c.source});
            const auto source = c.source.empty() ? std::nullopt : std::optional{ip(c.source)};
            const auto through = through_hx0 ? std::optional<std::string>{"hx0"} : std::nullopt;
            const auto route = route_to(ip(c.destination), source, through);
            ASSERT_TRUE(route) << route.error().message;
            EXPECT_EQ(route->interface.name, "hx0");
            EXPECT_EQ(to_string(route->source), c.expected_source);
            EXPECT_EQ(to_string(route->next_hop), c.next_hop);
            EXPECT_FALSE(route->local);
        }
    }
}

TEST_F(NetlinkTest, RoutesToALinkLocalAddressThroughItsInterface)
{
    const auto route = route_to(ip("fe80::99"), {}, "hx0");
    ASSERT_TRUE(route) << route.error().message;
    EXPECT_EQ(route->interface.name, "hx0");
    EXPECT_TRUE(route->source.is_link_local_v6());
    EXPECT_EQ(route->next_hop, ip("fe80::99"));
}

TEST_F(NetlinkTest, SeesThatTheTargetIsThisMachine)
{
    for (const char* own : {"10.9.0.1", "fd09::1"}) {
        for (const bool through_hx0 : {false, true}) {
            const auto through = through_hx0 ? std::optional<std::string>{"hx0"} : std::nullopt;
            const auto route = route_to(ip(own), {}, through);
            ASSERT_TRUE(route) << own << ": " << route.error().message;
            EXPECT_TRUE(route->local) << own << (through_hx0 ? " through hx0" : "");
        }
    }
}

TEST_F(NetlinkTest, SaysWhyThereIsNoRoute)
{
    run(R"(
        ip route add blackhole 10.1.0.0/16
        ip route add unreachable 10.2.0.0/16
        ip route add prohibit 10.3.0.0/16
        ip -6 route add blackhole fd01::/64
        ip -6 route add unreachable fd02::/64
        ip -6 route add prohibit fd03::/64
    )");
    struct Case {
        std::string_view destination, message;
    };
    const Case cases[] = {
        {"10.99.0.1", "no route to 10.99.0.1"},
        {"10.1.0.1", "route to 10.1.0.1: is a blackhole"},
        {"10.2.0.1", "no route to 10.2.0.1"},
        {"10.3.0.1", "route to 10.3.0.1: is prohibited"},
        {"fd99::1", "no route to fd99::1"},
        {"fd01::1", "route to fd01::1: is a blackhole"},
        {"fd02::1", "no route to fd02::1"},
        {"fd03::1", "route to fd03::1: is prohibited"},
        {"10.9.0.255", "10.9.0.255 is not the address of a single host"},
        {"ff02::1", "ff02::1 is not the address of a single host"},
    };
    for (const Case& c : cases) {
        const auto route = route_to(ip(c.destination), {}, {});
        ASSERT_FALSE(route) << c.destination;
        EXPECT_EQ(route.error().message, c.message);
    }
    const auto foreign_source = route_to(ip("10.9.0.2"), ip("10.9.0.77"), {});
    ASSERT_FALSE(foreign_source);
    EXPECT_EQ(foreign_source.error().message, "no interface has the address 10.9.0.77");
}

TEST_F(NetlinkTest, ResolvesNeighboursThatNobodyHasSpokenToYet)
{
    lab_.run_at_peer("ip addr add fe80::99/64 dev hx1 nodad");
    for (const char* address : {"10.9.0.2", "fd09::2", "fe80::99"}) {
        const auto mac = resolve_neighbour(hx0(), ip(address), 5s);
        ASSERT_TRUE(mac) << mac.error().message;
        EXPECT_EQ(to_string(*mac), kPeerMac);
    }
}

TEST_F(NetlinkTest, TakesStaleAndPermanentNeighboursAsTheyAre)
{
    for (const char* state : {"permanent", "stale"}) {
        run("ip neigh replace 10.9.0.50 lladdr 02:00:00:00:00:50 dev hx0 nud " +
            std::string{state});
        const auto mac = resolve_neighbour(hx0(), ip("10.9.0.50"), 0ms);
        ASSERT_TRUE(mac) << mac.error().message;
        EXPECT_EQ(to_string(*mac), "02:00:00:00:00:50");
    }
}

TEST_F(NetlinkTest, GivesUpOnASilentNeighbourInTime)
{
    const auto mac = resolve_neighbour(hx0(), ip("10.9.0.66"), 50ms);
    ASSERT_FALSE(mac);
    EXPECT_EQ(mac.error().code, Errc::kTimeout);
    EXPECT_EQ(mac.error().message,
        "no answer from 10.9.0.66 to ARP or neighbour discovery on interface hx0");
}

TEST_F(NetlinkTest, NeedsEthernet)
{
    run("ip tuntap add hxtun mode tun");
    const auto mac = resolve_neighbour(*interface_by_name("hxtun"), ip("10.9.0.66"), 50ms);
    ASSERT_FALSE(mac);
    EXPECT_EQ(mac.error().message,
        "interface hxtun does not carry Ethernet frames, which dpdkperf needs");
    run("ip link del hxtun");
}

// What a NetworkWatch tells until `enough`.
struct Heard {
    std::vector<NeighbourChange> neighbours;
    std::vector<LinkChange> links;
    std::size_t routes = 0;

    template <class Enough>
    static Heard until(NetworkWatch& watch, Enough enough)
    {
        Heard heard;
        pollfd readable{watch.fd(), POLLIN, 0};
        while (!enough(heard) && poll(&readable, 1, 5000) == 1) {
            watch.drain({[&](const NeighbourChange& c) { heard.neighbours.push_back(c); },
                [&](const LinkChange& c) { heard.links.push_back(c); }, [&] { ++heard.routes; }});
        }
        return heard;
    }
};

TEST_F(NetlinkTest, FollowsANeighboursMac)
{
    auto watch = NetworkWatch::open();
    ASSERT_TRUE(watch) << watch.error().message;
    run(R"(
        ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev hx0
        ip neigh replace 10.9.0.7 lladdr 02:00:00:00:00:08 dev hx0
        ip neigh del 10.9.0.7 dev hx0
    )");
    std::vector<std::string> macs;
    Heard::until(*watch, [&](const Heard& heard) {
        macs.clear();
        for (const auto& c : heard.neighbours) {
            if (c.interface_index == 10 && c.address == ip("10.9.0.7")) {
                macs.push_back(c.mac ? to_string(*c.mac) : "none");
            }
        }
        return !macs.empty() && macs.back() == "none";
    });
    macs.erase(std::unique(macs.begin(), macs.end()), macs.end());
    EXPECT_EQ(macs, (std::vector<std::string>{"02:00:00:00:00:07", "02:00:00:00:00:08", "none"}));
}

TEST_F(NetlinkTest, FollowsCarrierAndRemoval)
{
    auto watch = NetworkWatch::open();
    ASSERT_TRUE(watch);
    lab_.run_at_peer("ip link set hx1 down");
    auto heard =
        Heard::until(*watch, [](const Heard& h) { return !h.links.empty() && !h.links.back().up; });
    ASSERT_FALSE(heard.links.empty());
    EXPECT_EQ(heard.links.back().interface_index, 10U);
    EXPECT_FALSE(heard.links.back().removed);

    run("ip link del hx0");
    heard = Heard::until(
        *watch, [](const Heard& h) { return !h.links.empty() && h.links.back().removed; });
    ASSERT_FALSE(heard.links.empty());
    EXPECT_TRUE(heard.links.back().removed);
}

TEST_F(NetlinkTest, TellsThatRoutesHaveChanged)
{
    for (const char* change : {
             "ip route add 10.8.0.0/16 via 10.9.0.2",
             "ip route change 10.8.0.0/16 via 10.9.0.3",
             "ip route del 10.8.0.0/16",
             "ip -6 route add fd08::/64 via fd09::2",
             "ip -6 route del fd08::/64",
             "ip rule add to 10.8.0.0/16 lookup 100",
             "ip rule del to 10.8.0.0/16 lookup 100",
             "ip -6 rule add to fd08::/64 lookup 100",
             "ip -6 rule del to fd08::/64 lookup 100",
             "ip nexthop add id 7 via 10.9.0.2 dev hx0",
             "ip nexthop replace id 7 via 10.9.0.3 dev hx0",
         }) {
        SCOPED_TRACE(change);
        auto watch = NetworkWatch::open();
        ASSERT_TRUE(watch);
        run(change);
        EXPECT_EQ(Heard::until(*watch, [](const Heard& h) { return h.routes > 0; }).routes, 1U);
    }
}

TEST_F(NetlinkTest, DoesNotTakeLeavingABridgeForRemoval)
{
    run(R"(
        ip link add hxbr type bridge
        ip link set hx0 master hxbr
    )");
    auto watch = NetworkWatch::open();
    ASSERT_TRUE(watch);
    run(R"(
        ip link set hx0 nomaster
        ip link set hx0 alias end
        ip link del hxbr
    )");
    const auto heard = Heard::until(
        *watch, [](const Heard& h) { return !h.links.empty() && h.links.back().removed; });
    for (const auto& change : heard.links) {
        EXPECT_FALSE(change.interface_index == 10 && change.removed);
    }
}

}  // namespace
}  // namespace dpdkperf::host
