#include "dpdkperf/base/time.hpp"

#include <gtest/gtest.h>

namespace dpdkperf {
namespace {

using namespace std::chrono_literals;

TEST(TscScale, ConvertsThereAndBackWithinADay)
{
    constexpr std::uint64_t kHz = 1'999'999'973;  // no round number
    const TscScale scale{kHz, 123'456'789, Moment{5s}};
    for (const auto after : {0ns, 1ns, 999'999'999ns, 86'400'000'000'000ns}) {
        const Moment at = Moment{5s} + after;
        EXPECT_LE(at - scale.moment(scale.tsc(at)), 1ns);
        EXPECT_GE(at - scale.moment(scale.tsc(at)), -1ns);
    }
}

TEST(TscScale, KnowsMomentsBeforeItsAnchor)
{
    const TscScale scale{2'000'000'000, 10'000'000'000, Moment{100s}};
    EXPECT_EQ(scale.moment(8'000'000'000), Moment{99s});
    EXPECT_EQ(scale.tsc(Moment{99s}), 8'000'000'001U);
}

// A counter that runs 0.2 % faster than it says, read once a second for ten minutes.
TEST(ClockDiscipline, ConvergesOnTheTrueRateAndNeverGoesBack)
{
    constexpr double kTrueRate = 2'004'000'123.0;
    const auto tsc_at = [](nanoseconds t) {
        return static_cast<std::uint64_t>(static_cast<double>(t.count()) / 1e9 * kTrueRate);
    };
    ClockDiscipline clock{2'000'000'000, 0, Moment{0ns}};
    Moment last{};
    for (nanoseconds t = 10ms; t < 600s; t += 10ms) {
        const Moment shown = clock.scale().moment(tsc_at(t));
        ASSERT_GT(shown, last) << t.count();
        last = shown;
        if (t % 1s == 0ns) {
            clock.adjust(tsc_at(t), Moment{t});
            EXPECT_EQ(clock.scale().moment(tsc_at(t)), shown) << "jumped";
        }
        if (t > 3s) {
            ASSERT_NEAR(static_cast<double>((shown - Moment{t}).count()), 0, 1000) << t.count();
        }
    }
}

}  // namespace
}  // namespace dpdkperf
