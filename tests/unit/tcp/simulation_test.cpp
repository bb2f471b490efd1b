// Cases 11, 12, 18 and 23 of the engine's list (docs/tcp-engine.md): whole transfers in virtual
// time.
#include "full_size.hpp"
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
        Scenario s = transfer(full_size(100'000, 40'000) * 1'448, milliseconds{5}, 100e6);
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

constexpr double kLosses[] = {0, 0.001, 0.01, 0.05, 0.1, 0.3};
constexpr microseconds kRoundTrips[] = {
    microseconds{100}, microseconds{10'000}, microseconds{100'000}};
constexpr std::uint64_t kSeeds = 50;

TEST(TcpSimulation, CompletesUnderAnyLossAndRoundTripTime)
{
    for (const double loss : kLosses) {
        for (const auto rtt : kRoundTrips) {
            for (std::uint64_t seed = 1; seed <= full_size(kSeeds, 3); ++seed) {
                Scenario s = transfer(300'000, rtt / 2, 100e6);
                s.seed = seed;
                s.links[0].loss = loss;
                s.links[1].loss = loss / 2;
                Simulator simulator{s};
                const Outcome o = simulator.run();
                EXPECT_EQ(o.fault, "") << describe(s);
                EXPECT_EQ(o.info[1].bytes_received, s.bytes[0]) << describe(s);
                EXPECT_LE(o.longest_silence_in_rto, 3) << describe(s);
            }
        }
    }
}

// The window that random loss allows: CUBIC's own, or in its Reno-friendly region that of AIMD,
// whichever is larger (RFC 9438, 5.1 to 5.3). Losses at random are apart by different distances,
// which makes AIMD 1.31 / 1.22 times as fast as losses at equal distances (Mathis et al., "The
// macroscopic behavior of the TCP congestion avoidance algorithm", 1997, table 1, without delayed
// ACKs).
double window_under(double loss, double rtt_seconds)
{
    const double cubic = 1.054 * std::pow(rtt_seconds / loss, 0.75);
    return std::max(cubic, 1.31 / 1.22 * std::sqrt(1.5 / loss));
}

// How long the second half of a transfer takes, when slow start is over.
double seconds_of_second_half(const Scenario& scenario)
{
    Simulator simulator{scenario};
    double began = 0;
    simulator.on_event = [&](Simulator& sim, nanoseconds at) {
        if (began == 0 && sim.connection(0).acknowledged() >= scenario.bytes[0] / 2) {
            began = std::chrono::duration<double>(at).count();
        }
    };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "") << describe(scenario);
    return std::chrono::duration<double>(o.finished.time_since_epoch()).count() - began;
}

TEST(TcpSimulation, ReachesTheGoodputThatRandomLossAllows)
{
    const std::uint64_t seeds = full_size(kSeeds, 5);
    for (const double loss : {0.001, 0.01}) {
        for (const auto rtt : kRoundTrips) {
            double seconds = 0;
            const auto bytes = static_cast<std::uint64_t>(40'000 / loss);
            for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
                Scenario s = transfer(bytes, rtt / 2, 0);
                s.seed = seed;
                s.links[0].loss = loss;
                seconds += seconds_of_second_half(s);
            }
            const double goodput = static_cast<double>(bytes / 2 * seeds) * 8 / seconds;
            const double rtt_seconds = std::chrono::duration<double>(rtt).count();
            const double expected = window_under(loss, rtt_seconds) * 1'448 * 8 / rtt_seconds;
            EXPECT_GT(goodput, 0.7 * expected) << loss << " " << rtt.count();
            EXPECT_LT(goodput, 1.3 * expected) << loss << " " << rtt.count();
        }
    }
}

TEST(TcpSimulation, FillsALinkWithoutLossAtAnyRoundTripTime)
{
    for (const auto rtt : kRoundTrips) {
        for (std::uint64_t seed = 1; seed <= full_size(kSeeds, 1); ++seed) {
            const std::uint64_t bytes = rtt < milliseconds{100} ? 2'000'000 : 8'000'000;
            Scenario s = transfer(bytes, rtt / 2, 100e6);
            s.seed = seed;
            EXPECT_LT(seconds_of_second_half(s), static_cast<double>(bytes / 2) * 8 / 70e6)
                << describe(s);
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

// In super-segments over 100 Gbit/s. The sequence numbers wrap three times: what is there is lost;
// then nothing arrives until a timeout; then what is there is lost twice. The timestamps wrap
// meanwhile, and a segment of one wrap earlier appears.
TEST(TcpSimulation, PassesTheWrapOfSequenceNumbers)
{
    constexpr std::uint64_t kTurn = std::uint64_t{1} << 32U;
    Scenario s = transfer(full_size(12'000'000'000, 4'500'000'000), microseconds{20}, 100e9);
    s.random_sequences = false;
    s.settings[0].initial_sequence = static_cast<std::uint32_t>(kTurn - 5'000);
    s.settings[0].mtu_bytes = s.settings[1].mtu_bytes = 9'000;
    s.settings[0].max_burst_bytes = 63'000;
    s.settings[0].receive_window_bytes = s.settings[1].receive_window_bytes = 64U << 20U;
    s.links[0].queue_bytes = 2'000'000;
    const auto clock = [](Moment at) {
        return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
    };
    const auto first_ms = static_cast<std::uint32_t>(clock(Simulator{s}.now()));
    for (Settings& settings : s.settings) {
        settings.timestamp_offset = 0U - first_ms - 300;
    }
    Simulator* running = nullptr;
    std::uint64_t lost_again = 0;
    s.links[0].drop = [&](const Packet& packet, std::uint64_t) {
        const std::uint64_t end = packet.claimed_offset + packet.payload_bytes + 15'000;
        const std::uint64_t turns = (packet.claimed_offset + 20'000) / kTurn;
        const bool at_wrap = packet.payload_bytes > 0 && end % kTurn < 40'000;
        if (turns == 1 && running->connection(0).info(running->now()).timeouts == 0) {
            return true;
        }
        if (at_wrap && turns == 2 && packet.retransmission && lost_again < 4) {
            ++lost_again;
            return true;
        }
        return at_wrap && !packet.retransmission;
    };
    Simulator simulator{s};
    running = &simulator;
    bool injected = false;
    simulator.on_event = [&](Simulator& sim, nanoseconds) {
        if (!injected && sim.connection(1).received() > kTurn + 100'000'000) {
            injected = true;
            wire::TcpHeader old;
            old.flags = wire::kTcpAck;
            old.sequence =
                sim.data_sequence(0) + static_cast<std::uint32_t>(sim.connection(1).received());
            old.acknowledgment = sim.data_sequence(1);
            old.options.timestamps = {s.settings[0].timestamp_offset + first_ms + 1, 0};
            sim.inject(1, old, 8'948);
        }
    };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    EXPECT_EQ(o.info[1].bytes_received, s.bytes[0]);
    EXPECT_GE(o.info[0].segments_retransmitted, 10U);
    EXPECT_EQ(lost_again, s.bytes[0] > 2 * kTurn ? 4U : 0U);
    EXPECT_EQ(o.info[0].timeouts, 1U);
    EXPECT_EQ(o.info[1].rejected.old_timestamp, 1U);
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
