#include "dpdkperf/pacing/pacer.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::pacing {
namespace {

constexpr std::uint64_t kHz = 2'100'000'000;

// What leaves in `seconds` when the loop comes round every `turn` ticks.
std::uint64_t sent_in(Pacer pacer, double seconds, std::uint64_t turn, std::uint32_t max = 64)
{
    const std::uint64_t start = ~std::uint64_t{0} - kHz;  // the counter wraps on the way
    const auto end = static_cast<std::uint64_t>(seconds * kHz);
    std::uint64_t packets = 0;
    pacer.start(start);
    for (std::uint64_t after = 0; after < end; after += turn) {
        packets += pacer.allowance(start + after, max);
    }
    return packets;
}

TEST(Pacer, KeepsTheRateForMinutesWithoutDrift)
{
    struct Case {
        std::uint64_t bps, bytes;
    };
    for (const auto& [bps, bytes] :
        {Case{1'048'576, 1448}, Case{10'000'000, 64}, Case{7'777'777, 333}}) {
        SCOPED_TRACE(bps);
        constexpr double kMinutes = 5 * 60;
        const auto due = static_cast<double>(bps) * kMinutes / (static_cast<double>(bytes) * 8);
        const auto sent =
            sent_in({BitRate::from_bps(bps), {bytes}, 0, kHz}, kMinutes, kHz / 50'011);
        EXPECT_NEAR(static_cast<double>(sent), due, 1.0);
    }
}

// A burst of the largest blocks on a fast clock costs more than 64 bits hold.
TEST(Pacer, KeepsTheRateOfTheLargestBursts)
{
    constexpr std::uint64_t kFast = 5'000'000'000;
    Pacer pacer{BitRate::from_bps(10'000'000'000), {1 << 20}, 1000, kFast};  // -l 1M -b 10G/1000
    pacer.start(0);
    std::uint64_t packets = 0;
    for (std::uint64_t now = 0; now < 10 * kFast; now += kFast / 1000) {
        packets += pacer.allowance(now, 1000);
    }
    EXPECT_NEAR(static_cast<double>(packets), 10e10 / (8 << 20), 1000);
}

TEST(Pacer, ReachesLineRateInBurstsOfAWholeTurn)
{
    // 148.8 million datagrams of 18 bytes, in turns of an awkward length.
    const auto rate = BitRate::from_bps(148'809'523ULL * 18 * 8);
    const auto sent = sent_in({rate, {18}, 0, kHz}, 0.25, 331);
    EXPECT_NEAR(static_cast<double>(sent), 148'809'523.0 / 4, 64.0);
}

TEST(Pacer, SendsWholeBurstsAtTheTimesOfIperf3)
{
    // -b 2M/20 -l 1000: 20 datagrams every 80 ms.
    Pacer pacer{BitRate::from_bps(2'000'000), {1000}, 20, 1'000'000};  // ticks of a microsecond
    pacer.start(0);
    std::vector<std::uint64_t> begun;
    for (std::uint64_t now = 0; now < 400'000; now += 10) {
        std::uint32_t n = pacer.allowance(now, 7);  // a turn takes fewer than the burst has
        if (n != 0) {
            begun.push_back(now);
            while (const auto more = pacer.allowance(now, 7)) {
                n += more;
            }
            EXPECT_EQ(n, 20U);
        }
    }
    EXPECT_EQ(begun, (std::vector<std::uint64_t>{0, 80'000, 160'000, 240'000, 320'000}));
}

TEST(Pacer, DoesNotFloodAfterAStall)
{
    Pacer pacer{BitRate::from_bps(8'000'000), {1000}, 0, 1'000'000};  // one a millisecond
    pacer.start(0);
    std::uint32_t n = 0;
    while (pacer.allowance(5'000'000, 1) != 0) {  // five seconds late
        ++n;
    }
    EXPECT_LE(n, 101U);  // 100 ms worth
    EXPECT_GE(n, 99U);
}

TEST(Pacer, LetsEverythingThroughWithoutARate)
{
    Pacer pacer{BitRate{}, {64}, 0, kHz};
    pacer.start(0);
    EXPECT_EQ(pacer.allowance(0, 64), 64U);
    EXPECT_EQ(pacer.allowance(0, 64), 64U);
}

TEST(Pacer, SendsTheFirstDatagramAtOnceHoweverSlow)
{
    Pacer pacer{BitRate::from_bps(1), {65507}, 0, kHz};  // one in six days
    pacer.start(7);
    EXPECT_EQ(pacer.allowance(7, 64), 1U);
    EXPECT_EQ(pacer.allowance(7 + 60 * kHz, 64), 0U);
}

}  // namespace
}  // namespace dpdkperf::pacing
