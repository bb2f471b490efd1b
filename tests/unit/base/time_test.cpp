#include "dpdkperf/base/time.hpp"

#include <gtest/gtest.h>

namespace dpdkperf {
namespace {

using namespace std::chrono_literals;

TEST(TscScale, ConvertsThereAndBackAfterADay)
{
    constexpr std::uint64_t kHz = 1'999'999'973;  // no round number
    const TscScale scale{kHz, 123'456'789, Moment{5s}};
    for (const auto after : {0ns, 1ns, 999'999'999ns, 86'400'000'000'000ns}) {
        const Moment at = Moment{5s} + after;
        EXPECT_LE(at - scale.moment(scale.tsc(at)), 1ns);  // rounding goes down
        EXPECT_GE(at - scale.moment(scale.tsc(at)), 0ns);
    }
}

TEST(TscScale, KnowsMomentsBeforeItsAnchor)
{
    const TscScale scale{2'000'000'000, 10'000'000'000, Moment{100s}};
    EXPECT_EQ(scale.moment(8'000'000'000), Moment{99s});
    EXPECT_EQ(scale.tsc(Moment{99s}), 8'000'000'000U);
}

}  // namespace
}  // namespace dpdkperf
