#include "dpdkperf/stats/turn_meter.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::stats {
namespace {

TEST(TurnMeter, BooksATurnWhenTheNextBegins)
{
    TurnMeter meter;
    meter.restart(100);
    meter.begin(100);
    const TurnMeter::Reading start = meter.reading();
    meter.note(false);
    meter.begin(110);  // 10 idle
    meter.note(true);
    meter.note(false);
    meter.begin(140);  // 30 busy
    meter.begin(145);  // 5 idle: what a turn did is forgotten with it
    EXPECT_EQ(meter.reading() - start, (TurnMeter::Reading{3, 1, 45, 30}));
}

TEST(TurnMeter, SleepBelongsToNoTurn)
{
    TurnMeter meter;
    meter.restart(100);
    meter.begin(100);
    const TurnMeter::Reading start = meter.reading();
    meter.note(true);
    meter.restart(1'000'000);
    meter.begin(1'000'007);
    EXPECT_EQ((meter.reading() - start).ticks, 7U);
    EXPECT_EQ((meter.reading() - start).busy_ticks, 0U);
}

}  // namespace
}  // namespace dpdkperf::stats
