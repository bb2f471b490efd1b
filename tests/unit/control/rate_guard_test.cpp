#include "rate_guard.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

using namespace std::chrono_literals;

constexpr Moment kStart{2h};
constexpr BitRate kMegabit = BitRate::from_bps(1'000'000);

TEST(RateGuard, WaitsForAWholeWindow)
{
    RateGuard guard{kMegabit, 5s};
    EXPECT_FALSE(guard.exceeded(kStart, {0}));
    EXPECT_FALSE(guard.exceeded(kStart + 4999ms, {10'000'000}));
    EXPECT_TRUE(guard.exceeded(kStart + 5s, {10'000'000}));
}

TEST(RateGuard, TheLimitItselfIsAllowed)
{
    RateGuard guard{kMegabit, 1s};
    for (std::uint64_t second = 0; second < 100; ++second) {
        EXPECT_FALSE(guard.exceeded(kStart + second * 1s, {second * 125'000}));
    }
    EXPECT_TRUE(guard.exceeded(kStart + 100s, {100 * 125'000 + 1}));
}

TEST(RateGuard, ABurstCountsAsLongAsTheWindowHoldsIt)
{
    RateGuard guard{kMegabit, 4s};
    std::uint64_t total = 0;
    for (int look = 0; look < 16; ++look) {
        total += look == 8 ? 400'000 : 0;  // 3.2 Mbit, over 4 s
        EXPECT_FALSE(guard.exceeded(kStart + look * 250ms, {total}));
    }
    total += 200'000;
    EXPECT_TRUE(guard.exceeded(kStart + 5s, {total}));
    EXPECT_FALSE(guard.exceeded(kStart + 9s, {total}));
}

}  // namespace
}  // namespace dpdkperf::control
