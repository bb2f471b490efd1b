#include "dpdkperf/impair/plan.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::impair {
namespace {

using namespace std::chrono_literals;

TEST(ImpairPlan, IsForBothDirectionsUnlessItSays)
{
    Plan both;
    ASSERT_TRUE(add(both, "loss=0.5%,delay=10ms,seed=9"));
    EXPECT_EQ(both.seed, 9U);
    for (const auto& direction : {both.transmit, both.receive}) {
        ASSERT_TRUE(direction);
        EXPECT_DOUBLE_EQ(direction->loss, 0.005);
        EXPECT_EQ(direction->delay, 10ms);
    }
    Plan one;
    ASSERT_TRUE(add(one, "rx:dup=1%"));
    EXPECT_FALSE(one.transmit);
    ASSERT_TRUE(one.receive);
    EXPECT_DOUBLE_EQ(one.receive->duplicate, 0.01);
    ASSERT_TRUE(add(one, "tx:reorder=2%/100us,burst=1%/25%"));
    EXPECT_DOUBLE_EQ(one.transmit->reorder, 0.02);
    EXPECT_EQ(one.transmit->reorder_delay, 100us);
    EXPECT_DOUBLE_EQ(one.transmit->burst_enter, 0.01);
    EXPECT_DOUBLE_EQ(one.transmit->burst_leave, 0.25);
}

TEST(ImpairPlan, ReadsWhatItWrites)
{
    for (const std::string text : {"tx:loss=1%,delay=5ms rx:loss=1%,delay=5ms seed=1",
             "rx:burst=0.1%/30%,reorder=2%/150us,dup=0.01% seed=77", "tx:delay=1.5s seed=1",
             "tx:loss=0% seed=1"}) {
        Plan plan;
        std::size_t from = 0;
        for (std::size_t space = text.find(' '); space != std::string::npos;
             space = text.find(' ', from)) {
            ASSERT_TRUE(add(plan, text.substr(from, space - from))) << text;
            from = space + 1;
        }
        plan.seed = std::stoull(text.substr(from + 5));
        EXPECT_EQ(to_string(plan), text);
    }
}

TEST(ImpairPlan, SaysWhichPartIsWrong)
{
    const std::pair<const char*, const char*> cases[] = {
        {"loss=1", "'1' is not a percentage from 0% to 100%"},
        {"loss=101%", "'101%' is not a percentage from 0% to 100%"},
        {"loss=-1%", "'-1%' is not a percentage from 0% to 100%"},
        {"loss=%", "'%' is not a percentage from 0% to 100%"},
        {"loss", "'' is not a percentage from 0% to 100%"},
        {"delay=5", "'5' is not a time up to 10 s, as 5ms, 100us or 1s"},
        {"delay=11s", "'11s' is not a time up to 10 s, as 5ms, 100us or 1s"},
        {"delay=xms", "'xms' is not a time up to 10 s, as 5ms, 100us or 1s"},
        {"reorder=1%", "'' is not a time up to 10 s, as 5ms, 100us or 1s"},
        {"burst=1%", "'' is not a percentage from 0% to 100%"},
        {"seed=x", "'x' is not a seed"},
        {"loss=1%,", "'' is none of loss, burst, delay, reorder, dup, seed"},
        {"", "'' is none of loss, burst, delay, reorder, dup, seed"},
        {"jam=1%", "'jam' is none of loss, burst, delay, reorder, dup, seed"},
    };
    for (const auto& [text, message] : cases) {
        Plan plan;
        const Status status = add(plan, text);
        ASSERT_FALSE(status) << text;
        EXPECT_EQ(status.error().message, message);
    }
    Plan twice;
    ASSERT_TRUE(add(twice, "tx:loss=1%"));
    EXPECT_FALSE(add(twice, "loss=1%"));
}

}  // namespace
}  // namespace dpdkperf::impair
