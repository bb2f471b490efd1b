#include "settings.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

using namespace std::chrono_literals;

TEST(Settings, DatagramsAreAsLongAsASegmentUnlessTheUserSays)
{
    struct Case {
        std::optional<std::uint64_t> wanted;
        std::uint32_t mss;
        std::uint64_t max, bytes;
    };
    const Case cases[] = {
        {{}, 1448, 1472, 1448}, {{}, 8948, 8972, 8948}, {{}, 0, 1472, 1460},  // unknown
        {{}, 70'000, 65507, 1460},  // loopback with a huge MTU: iperf3's fallback
        {{}, 32'768, 1472, 1472},   // must still fit into one packet
        {64, 1448, 1472, 64}, {9000, 1448, 1472, 9000},  // refused elsewhere, in words
    };
    for (const Case& c : cases) {
        options::Plan plan;
        plan.protocol = options::Protocol::kUdp;
        plan.block_bytes = c.wanted;
        EXPECT_EQ(parameters_of(plan, c.mss, {c.max}, 1).block_bytes, c.bytes);
    }
}

TEST(Settings, OfATcpTestNeverComeFromTheSegmentSize)
{
    options::Plan plan;
    proto::Parameters p = parameters_of(plan, 1448, {1472}, 1);
    EXPECT_EQ(p.transport, proto::Transport::kTcp);
    EXPECT_EQ(p.block_bytes, 131'072U);
    EXPECT_EQ(p.rate, BitRate{});  // unlimited
    EXPECT_FALSE(settings_of(plan, p, {}, {}, 1448).block_from_mss);
    EXPECT_FALSE(settings_of(plan, p, {}, {}, 1448).udp);

    plan.block_bytes = 1 << 20;
    EXPECT_EQ(parameters_of(plan, 1448, {1472}, 1).block_bytes, 1U << 20);

    plan = {};
    plan.protocol = options::Protocol::kUdp;
    p = parameters_of(plan, 1448, {1472}, 1);
    EXPECT_EQ(p.rate, kIperf3DefaultUdpRate);
    EXPECT_TRUE(settings_of(plan, p, {}, {}, 1448).block_from_mss);
}

TEST(Settings, ALinkLocalHostIsShownWithItsDevice)
{
    options::Plan plan;
    plan.host = "fe80::1";
    EXPECT_EQ(shown_host(plan), "fe80::1");
    plan.bind_device = "eth0";
    EXPECT_EQ(shown_host(plan), "fe80::1%eth0");
    for (const char* other : {"10.0.0.1", "2001:db8::1", "name"}) {
        plan.host = other;
        EXPECT_EQ(shown_host(plan), other);
    }
}

TEST(Settings, OfAnImpossibleCpuTheReasonIsIperf3s)
{
    EXPECT_FALSE(check_cpu({}));
    const auto failure = check_cpu(1000);
    ASSERT_TRUE(failure);
    EXPECT_EQ(to_string(*failure), "unable to set CPU affinity: Invalid argument: CPU 1000");
}

TEST(Settings, WishesForTcpReachTheServer)
{
    options::Plan plan;
    plan.congestion = "reno";
    plan.mss_bytes = 1400;
    plan.no_delay = true;
    plan.zerocopy = true;
    plan.fq_rate = BitRate::from_gbps(3);
    plan.rate = BitRate::from_gbps(2);
    plan.window_bytes = 1 << 20;
    const proto::Parameters p = parameters_of(plan, 1448, {1472}, 1);
    EXPECT_EQ(p.congestion, "reno");
    EXPECT_EQ(p.mss_bytes, 1400U);
    EXPECT_TRUE(p.no_delay);
    EXPECT_TRUE(p.zerocopy);
    EXPECT_EQ(p.fq_rate, BitRate::from_gbps(3));
    EXPECT_EQ(p.rate, BitRate::from_gbps(2));
    EXPECT_EQ(p.window_bytes, 1U << 20);
}

TEST(Settings, WishesForEitherProtocolReachTheServer)
{
    options::Plan plan;
    plan.flow_label = 0x1234;
    plan.pacing_timer = 250us;
    plan.skip_rx_copy = true;
    plan.gsro = true;
    plan.dont_fragment = true;
    const proto::Parameters p = parameters_of(plan, 1448, {1472}, 1);
    EXPECT_EQ(p.flow_label, 0x1234U);
    EXPECT_EQ(p.pacing_timer, 250us);
    EXPECT_TRUE(p.skip_rx_copy && p.gsro && p.dont_fragment);
}

TEST(Settings, AnAmountReplacesTheDuration)
{
    options::Plan plan;
    EXPECT_EQ(parameters_of(plan, 0, {1472}, 1).time, 10s);
    plan.blocks = 5;
    EXPECT_EQ(parameters_of(plan, 0, {1472}, 1).time, 0s);
}

TEST(Settings, TheUsersNumberOfStreamsComesBeforeOnePerPoller)
{
    options::Plan plan;
    EXPECT_EQ(parameters_of(plan, 0, {1472}, 3).parallel, 3U);
    plan.parallel = 1;
    EXPECT_EQ(parameters_of(plan, 0, {1472}, 3).parallel, 1U);
}

TEST(Settings, DatagramsThatDoNotFitAreRefusedInWords)
{
    EXPECT_FALSE(check_datagram(1472, {1472}, "eth0"));
    EXPECT_EQ(to_string(check_datagram(1473, {1472}, "eth0").value()),
        "block size invalid (minimum = 16 bytes, maximum = 65507 bytes): 1473 bytes do not fit "
        "into one packet on eth0, at most 1472 do");
}

// The bounds are Linux's, seen with iperf3.
TEST(Settings, SegmentsMayNotBeTiny)
{
    for (const std::uint32_t bytes : {1U, 87U}) {
        EXPECT_EQ(
            to_string(check_mss(bytes).value()), "unable to set TCP/SCTP MSS: Invalid argument");
    }
    for (const std::uint32_t bytes : {0U, 88U, 9216U}) {
        EXPECT_FALSE(check_mss(bytes)) << bytes;
    }
}

// iperf 3.19, seen on the terminal.
TEST(Settings, InterruptionsReadLikeIperf3)
{
    EXPECT_EQ(
        interrupted(false, SIGINT), "interrupt - the client has terminated by signal Interrupt(2)");
    EXPECT_EQ(interrupted(true, SIGTERM),
        "interrupt - the server has terminated by signal Terminated(15)");
}

TEST(Settings, CookiesDiffer)
{
    EXPECT_NE(new_cookie(), new_cookie());
}

}  // namespace
}  // namespace dpdkperf::control
