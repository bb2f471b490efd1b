#include "dpdkperf/impair/impairment.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace dpdkperf::impair {
namespace {

using namespace std::chrono_literals;

constexpr int kPackets = 100'000;

// What happened to many packets, one letter each.
std::string story(const Settings& settings, std::uint64_t seed)
{
    Impairment impairment{seed};
    std::string text;
    for (int i = 0; i < kPackets; ++i) {
        if (impairment.loses(settings)) {
            text += 'l';
            continue;
        }
        const auto fate = impairment.fate(settings, 64);
        text += fate.copy_delay ? 'd' : fate.reordered ? 'r' : '.';
    }
    return text;
}

double share(const std::string& text, char letter)
{
    return static_cast<double>(std::count(text.begin(), text.end(), letter)) / kPackets;
}

TEST(Impairment, DecidesTheSameForTheSameSeed)
{
    const Settings settings{.loss = 0.1, .reorder = 0.1, .duplicate = 0.1};
    EXPECT_EQ(story(settings, 7), story(settings, 7));
    EXPECT_NE(story(settings, 7), story(settings, 8));
}

TEST(Impairment, ChoosesTheSharesThatWereAskedFor)
{
    const std::string text = story({.loss = 0.02, .reorder = 0.1, .duplicate = 0.05}, 1);
    EXPECT_NEAR(share(text, 'l'), 0.02, 0.003);
    EXPECT_NEAR(share(text, 'd'), 0.98 * 0.05, 0.005);
    EXPECT_NEAR(share(text, 'r'), 0.98 * 0.95 * 0.1, 0.005);
}

TEST(Impairment, LeavesPacketsAloneUnlessAsked)
{
    EXPECT_EQ(share(story({}, 1), '.'), 1);
    Impairment impairment{1};
    const auto fate = impairment.fate({.delay = 5ms}, 64);
    EXPECT_EQ(fate.delay, 5ms);
    EXPECT_FALSE(fate.copy_delay || fate.corrupt_bit || fate.reordered);
}

// Gilbert and Elliott: the mean length of a burst is 1 / leave.
TEST(Impairment, LosesInBursts)
{
    const std::string text = story({.burst_enter = 0.01, .burst_leave = 0.25}, 3);
    EXPECT_NEAR(share(text, 'l'), 0.01 / (0.01 + 0.25), 0.005);
    std::size_t bursts = 0;
    for (std::size_t at = text.find(".l"); at != std::string::npos; at = text.find(".l", at + 1)) {
        ++bursts;
    }
    EXPECT_NEAR(share(text, 'l') * kPackets / static_cast<double>(bursts), 4, 0.4);
}

TEST(Impairment, ACopyComesAfterItsOriginal)
{
    Impairment impairment{5};
    for (int i = 0; i < 1000; ++i) {
        const auto fate = impairment.fate(
            {.delay = 1ms, .reorder = 0.5, .reorder_delay = 1ms, .duplicate = 1}, 8);
        ASSERT_TRUE(fate.copy_delay);
        EXPECT_EQ(fate.delay, fate.reordered ? 2ms : 1ms);
        EXPECT_GE(*fate.copy_delay, fate.delay);
        EXPECT_LT(*fate.copy_delay, fate.delay + kCopySpread);
    }
}

}  // namespace
}  // namespace dpdkperf::impair
