#include "congestion.hpp"
#include "dpdkperf/tcp/isn.hpp"
#include "hystart.hpp"
#include "prr.hpp"
#include "rtt_estimator.hpp"
#include "send_pacer.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace dpdkperf::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RttEstimator, FollowsRfc6298WithLinuxsFloor)
{
    RttEstimator rtt;
    EXPECT_EQ(rtt.rto(), seconds{1});
    rtt.on_sample(milliseconds{100}, Microseconds{0});
    EXPECT_EQ(rtt.rto(), milliseconds{300});  // 100 + 4 * 50
    rtt.back_off();
    EXPECT_EQ(rtt.rto(), milliseconds{600});
    for (int i = 0; i < 10; ++i) {
        rtt.back_off();
    }
    EXPECT_EQ(rtt.rto(), seconds{60});
    for (int i = 0; i < 100; ++i) {
        rtt.on_sample(milliseconds{100}, Microseconds{0});
    }
    EXPECT_EQ(rtt.rto(), milliseconds{300});  // 100 + the floor of the variance
}

TEST(RttEstimator, ForgetsAnOldMinimum)
{
    RttEstimator rtt;
    rtt.on_sample(milliseconds{1}, seconds{0});
    rtt.on_sample(milliseconds{9}, seconds{301});
    EXPECT_EQ(rtt.minimum(), milliseconds{1});
    rtt.on_sample(milliseconds{9}, seconds{602});
    EXPECT_EQ(rtt.minimum(), milliseconds{9});
}

// RFC 9438, figure of 4.2: after a loss at W_max the curve is back at W_max after K seconds, and
// above it afterwards.
TEST(Cubic, IsBackAtItsOldWindowAfterK)
{
    constexpr double kMax = 1'000;
    Cubic cubic;
    CongestionWindow window{.cwnd = kMax, .ssthresh = kMax};
    window.ssthresh = cubic.on_congestion(window, Moment{});
    EXPECT_DOUBLE_EQ(window.ssthresh, 700);
    window.cwnd = window.ssthresh;
    const double k = std::cbrt(kMax * (1 - Cubic::kBeta) / Cubic::kC);
    const auto rtt = milliseconds{200};  // long enough to be above Reno
    double at_k = 0;
    double last = window.cwnd;
    for (int round = 0; round * 0.2 < 2 * k; ++round) {
        const Moment now{rtt * round};
        const auto acked = static_cast<std::uint32_t>(window.cwnd);
        cubic.on_ack(window, {.now = now, .delivered_slots = acked, .rtt = rtt, .srtt = rtt});
        EXPECT_GE(window.cwnd, last);
        last = window.cwnd;
        if (round * 0.2 < k) {
            at_k = window.cwnd;
        }
    }
    EXPECT_NEAR(at_k, kMax, 0.02 * kMax);
    EXPECT_NEAR(last, kMax * 1.3, 0.03 * kMax);  // the curve is symmetric
}

TEST(Cubic, IsAsFastAsRenoOnShortPaths)
{
    Cubic cubic;
    CongestionWindow window{.cwnd = 20, .ssthresh = 20};
    window.ssthresh = window.cwnd = cubic.on_congestion(window, Moment{});
    for (int round = 0; round < 100; ++round) {
        const Moment now{milliseconds{round}};
        const auto acked = static_cast<std::uint32_t>(window.cwnd);
        cubic.on_ack(window, {.now = now,
                                 .delivered_slots = acked,
                                 .rtt = milliseconds{1},
                                 .srtt = milliseconds{1}});
    }
    EXPECT_GT(window.cwnd, 14 + 100 * 0.5);  // alpha is 0.53 up to the old window, then 1
}

TEST(Reno, GrowsByASlotPerRoundTrip)
{
    Congestion reno{Reno{}, 10};
    reno.on_congestion(Moment{});
    EXPECT_EQ(reno.cwnd(), 5U);
    for (int round = 0; round < 10; ++round) {
        reno.on_ack({.now = {}, .delivered_slots = reno.cwnd(), .rtt = {}}, true);
    }
    EXPECT_NEAR(reno.cwnd(), 15, 1);
    const std::uint32_t before = reno.cwnd();
    reno.on_ack({.now = {}, .delivered_slots = 100, .rtt = {}}, false);
    EXPECT_EQ(reno.cwnd(), before);
}

TEST(Congestion, ReducesSsthreshOnceForRepeatedTimeouts)
{
    Congestion c{Cubic{}, 100};
    c.on_timeout(Moment{}, false);
    EXPECT_EQ(c.ssthresh(), 70U);
    EXPECT_EQ(c.cwnd(), 1U);
    c.on_timeout(Moment{}, true);
    EXPECT_EQ(c.ssthresh(), 70U);
}

// RFC 9406: a round whose lowest RTT is 1/8 above that of the last one, but at least 4 ms, ends
// slow start by way of five rounds of conservative slow start.
TEST(Hystart, LeavesSlowStartWhenTheDelayGrows)
{
    Hystart h;
    Offset una = 0;
    const auto round = [&](milliseconds rtt) {
        for (int i = 0; i < 10; ++i) {
            una += 1'000;
            h.on_ack(una, una + 10'000, Microseconds{rtt});
        }
    };
    for (int i = 0; i < 5; ++i) {
        round(milliseconds{40});
    }
    EXPECT_EQ(h.phase(), Hystart::Phase::kSlowStart);
    round(milliseconds{46});
    round(milliseconds{46});
    EXPECT_EQ(h.phase(), Hystart::Phase::kConservative);
    for (int i = 0; i < 6; ++i) {
        round(milliseconds{50});
    }
    EXPECT_EQ(h.phase(), Hystart::Phase::kDone);
}

TEST(Hystart, TakesAFalseAlarmBack)
{
    Hystart h;
    Offset una = 0;
    const auto round = [&](milliseconds rtt) {
        for (int i = 0; i < 10; ++i) {
            una += 1'000;
            h.on_ack(una, una + 10'000, Microseconds{rtt});
        }
    };
    for (const int ms : {40, 40, 40, 50, 50}) {
        round(milliseconds{ms});
    }
    EXPECT_EQ(h.phase(), Hystart::Phase::kConservative);
    round(milliseconds{40});
    round(milliseconds{40});
    EXPECT_EQ(h.phase(), Hystart::Phase::kSlowStart);
}

// The example of RFC 6937, 3.1 in shape: 20 in flight, one lost, ssthresh 14.
TEST(Prr, SpreadsTheReductionOverARoundTrip)
{
    Prr prr;
    prr.start(20, 14);
    std::uint32_t pipe = 16;  // three SACKed, one lost
    std::uint32_t sent = 0;
    prr.on_ack(3, pipe, false);
    for (int ack = 0; ack < 16; ++ack) {
        const std::uint32_t n = prr.cwnd() > pipe ? prr.cwnd() - pipe : 0;
        EXPECT_LE(n, 3U);
        prr.on_sent(n);
        sent += n;
        pipe = pipe + n - 1;
        prr.on_ack(1, pipe, false);
    }
    EXPECT_NEAR(sent, 14, 1);
}

TEST(SendPacer, KeepsARateOfSmallGapsExactly)
{
    SendPacer pacer;
    constexpr std::uint64_t kRate = 12'500'000'000;  // 100 Gbit/s
    Moment now{seconds{10}};
    const Moment start = now;
    std::uint64_t bytes = 0;
    while (now - start < milliseconds{20}) {
        while (pacer.ready(now)) {
            pacer.on_sent(1'448, kRate, now);
            bytes += 1'448;
        }
        now += nanoseconds{331};
    }
    const double expected = 12.5e9 * 0.021;  // with the credit of a millisecond
    EXPECT_NEAR(static_cast<double>(bytes), expected, 0.001 * expected);
}

TEST(Siphash, IsTheReferencesOne)
{
    // vectors.h of the reference implementation: key 00 … 0f, input of 0 and of 8 bytes 00 … 07.
    const IsnSecret key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    EXPECT_EQ(siphash(key, {}), 0x726fdb47dd0e0e31U);
    const std::uint64_t word = 0x0706050403020100;
    EXPECT_EQ(siphash(key, {&word, 1}), 0x93f5f5799a932462U);
}

TEST(InitialSequence, GrowsWithTimeAndDiffersByPort)
{
    const IsnSecret secret{1, 2};
    const Endpoint a{IpAddress::from_v4(0x0a000001), 1000};
    const Endpoint b{IpAddress::from_v4(0x0a000002), 5201};
    const Endpoint c{IpAddress::from_v4(0x0a000001), 1001};
    const Moment now{seconds{5}};
    const std::uint32_t first = initial_sequence(secret, a, b, now);
    EXPECT_EQ(initial_sequence(secret, a, b, now + milliseconds{4}) - first, 1'000U);
    EXPECT_NE(initial_sequence(secret, c, b, now), first);
    EXPECT_NE(timestamp_offset(secret, a, b), timestamp_offset(secret, c, b));
}

}  // namespace
}  // namespace dpdkperf::tcp
