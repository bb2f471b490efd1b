// Cases 11, 12, 18 and 23 of the engine's list (docs/tcp-engine.md): whole transfers in virtual
// time.
#include "simulator.hpp"

#include <chrono>
#include <cmath>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Scenario transfer(std::uint64_t bytes, nanoseconds one_way, double bits_per_second)
{
    Scenario s;
    s.bytes[0] = bytes;
    for (LinkSettings& link : s.links) {
        link.delay = one_way;
        link.bits_per_second = bits_per_second;
    }
    return s;
}

double goodput(const Scenario& scenario, const Outcome& outcome)
{
    return static_cast<double>(scenario.bytes[0]) * 8 /
           std::chrono::duration<double>(outcome.finished.time_since_epoch()).count();
}

TEST(TcpSimulation, FillsACleanLinkWithoutARetransmission)
{
    for (const auto delay : {microseconds{10}, microseconds{500}, microseconds{5'000}}) {
        Scenario s = transfer(30'000'000, delay, 1e9);
        s.links[0].queue_bytes = 20'000'000;  // more than the window
        Simulator simulator{s};
        const Outcome o = simulator.run();
        EXPECT_EQ(o.fault, "");
        EXPECT_EQ(o.info[0].segments_retransmitted, 0U) << delay.count();
        EXPECT_GT(goodput(s, o), 0.7e9) << delay.count();
    }
}

TEST(TcpSimulation, LearnsToLiveWithReordering)
{
    const auto run = [](double reorder) {
        Scenario s = transfer(60'000'000, milliseconds{5}, 100e6);
        s.links[0].queue_bytes = 400'000;
        s.links[0].reorder = reorder;
        s.links[0].reorder_delay = microseconds{1'200};  // ten packets
        Simulator simulator{s};
        const Outcome o = simulator.run();
        EXPECT_EQ(o.fault, "");
        return std::pair{goodput(s, o), o.info[0]};
    };
    const auto [plain, plain_info] = run(0);
    const auto [reordered, info] = run(0.01);
    EXPECT_GE(reordered, 0.95 * plain);
    EXPECT_LT(static_cast<double>(info.segments_retransmitted),
        0.001 * static_cast<double>(info.segments_sent) +
            static_cast<double>(plain_info.segments_retransmitted));
    EXPECT_GT(info.reordering, 3U);
}

// RFC 9438, 5.1 and 5.3: under random loss the window is that of the Reno-friendly region for short
// round trips, sqrt(3 (1 + beta) / (2 (1 - beta) p)) without delayed ACKs.
TEST(TcpSimulation, ReachesTheGoodputThatRandomLossAllows)
{
    for (const double loss : {0.001, 0.01}) {
        double sum = 0;
        constexpr int kSeeds = 3;
        const auto rtt = milliseconds{20};
        for (int seed = 1; seed <= kSeeds; ++seed) {
            Scenario s = transfer(40'000'000, rtt / 2, 0);
            s.seed = static_cast<std::uint64_t>(seed);
            s.links[0].loss = loss;
            Simulator simulator{s};
            const Outcome o = simulator.run();
            EXPECT_EQ(o.fault, "");
            sum += goodput(s, o);
        }
        const double window = std::sqrt(1.5 / loss);
        const double expected = window * 1448 * 8 / std::chrono::duration<double>(rtt).count();
        EXPECT_GT(sum / kSeeds, 0.7 * expected) << loss;
        EXPECT_LT(sum / kSeeds, 2.5 * expected) << loss;
    }
}

TEST(TcpSimulation, CompletesUnderAnyLossAndRoundTripTime)
{
    for (const double loss : {0.0, 0.001, 0.01, 0.05, 0.1, 0.3}) {
        for (const auto delay : {microseconds{50}, microseconds{5'000}, microseconds{50'000}}) {
            for (std::uint64_t seed = 1; seed <= 3; ++seed) {
                Scenario s = transfer(300'000, delay, 100e6);
                s.seed = seed;
                s.links[0].loss = loss;
                s.links[1].loss = loss / 2;
                Simulator simulator{s};
                const Outcome o = simulator.run();
                EXPECT_EQ(o.fault, "") << describe(s);
                EXPECT_EQ(o.info[1].bytes_received, s.bytes[0]) << describe(s);
            }
        }
    }
}

TEST(TcpSimulation, IsNeverMuchSlowerThanRfc6675ToRepairALoss)
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Scenario s = transfer(2'000'000, milliseconds{10}, 100e6);
        s.seed = seed;
        s.links[0].loss = 0.002;
        Simulator simulator{s};
        const Outcome o = simulator.run();
        EXPECT_EQ(o.fault, "");
        EXPECT_LE(o.latest_after_oracle, milliseconds{25}) << seed;
        EXPECT_LE(o.spurious[0], 1U) << seed;  // a tail loss probe
    }
}

// In super-segments over 100 Gbit/s: the sequence numbers wrap twice, and losses fall on the wrap.
TEST(TcpSimulation, PassesTheWrapOfSequenceNumbers)
{
    Scenario s = transfer(4'400'000'000, microseconds{20}, 100e9);
    s.random_sequences = false;
    s.settings[0].initial_sequence = 0xffff'ffff - 5'000;
    s.settings[0].mtu_bytes = s.settings[1].mtu_bytes = 9'000;
    s.settings[0].max_burst_bytes = 63'000;
    s.settings[0].receive_window_bytes = s.settings[1].receive_window_bytes = 64U << 20U;
    s.links[0].queue_bytes = 2'000'000;
    s.links[0].drop = [&](const Packet& packet, std::uint64_t) {
        const auto parsed = wire::parse_tcp_header({packet.header.data(), packet.header_bytes});
        const std::uint32_t at = parsed->header.sequence;
        return !packet.retransmission && (at > 0xffff'ff00 || at < 3'000);
    };
    Simulator simulator{s};
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    EXPECT_EQ(o.info[1].bytes_received, s.bytes[0]);
    EXPECT_GE(o.info[0].segments_retransmitted, 1U);
    EXPECT_EQ(o.info[0].timeouts, 0U);
}

TEST(TcpSimulation, HoldsItsRateAcrossAnOutage)
{
    Scenario s = transfer(20'000'000, milliseconds{10}, 100e6);
    s.links[0].queue_bytes = 300'000;
    Simulator simulator{s};
    simulator.on_event = [](Simulator& sim, nanoseconds at) {
        const bool out = at > milliseconds{500} && at < milliseconds{1'500};
        sim.link(1).settings().loss = out ? 1.0 : 0.0;
    };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    EXPECT_GE(o.info[0].timeouts, 2U);
    EXPECT_LT(o.longest_silence, milliseconds{1'500});
    EXPECT_EQ(o.info[0].segment_bytes, 1'448U);
    EXPECT_GT(goodput(s, o), 25e6);
}

TEST(TcpSimulation, PassesAPathThatBeginsToSwallowLargePackets)
{
    Scenario s = transfer(20'000'000, milliseconds{10}, 100e6);
    s.links[0].queue_bytes = 300'000;
    Simulator simulator{s};
    simulator.on_event = [](Simulator& sim, nanoseconds at) {
        sim.link(0).settings().mtu_bytes = at > milliseconds{500} ? 1'000 : 1'500;
    };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    EXPECT_EQ(o.info[0].segment_bytes, 724U);
    EXPECT_LE(o.info[0].timeouts, 3U);  // two in a row, and the one that shows it was no outage
    EXPECT_EQ(o.info[1].bytes_received, s.bytes[0]);
}

// A queue of one bandwidth-delay product: slow start leaves hundreds of holes at once, and the
// receiver remembers all that lies between them.
TEST(TcpSimulation, RepairsWhatSlowStartLostWithoutSendingAnythingTwice)
{
    Scenario s = transfer(7'500'000, milliseconds{25}, 100e6);
    s.links[0].queue_bytes = 625'000;
    Simulator simulator{s};
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    EXPECT_GT(o.info[0].segments_retransmitted, 500U);
    EXPECT_EQ(o.info[0].timeouts, 0U);
    EXPECT_EQ(o.info[1].rejected.no_room, 0U);
    EXPECT_EQ(o.spurious[0], 0U);
    EXPECT_GT(goodput(s, o), 60e6);
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
