#include "dpdkperf/stats/frames.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::stats {
namespace {

TEST(FrameCount, PadsShortFramesOnTheWire)
{
    FrameCount count;
    count.add({54}, 2);
    count.add({1514});
    EXPECT_EQ(count, (FrameCount{3, {2 * 54 + 1514}, {2 * (60 + 24) + 1514 + 24}}));
}

TEST(FrameCount, CutsSegmentsIntoPackets)
{
    struct Case {
        std::uint64_t payload, packet_payload, packets;
    };
    const Case cases[] = {{0, 0, 1}, {0, 1448, 1}, {1, 1448, 1}, {1448, 1448, 1}, {1449, 1448, 2},
        {48'000, 1448, 34}, {43'440, 1448, 30}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.payload);
        FrameCount count;
        count.add_segment({66}, c.payload, c.packet_payload);
        EXPECT_EQ(count.packets, c.packets);
        EXPECT_EQ(count.frames.value, c.packets * 66 + c.payload);
        EXPECT_EQ(count.wire.value, c.packets * (66 + 24) + c.payload);
    }
}

TEST(FrameCount, IsADifferenceOfTwo)
{
    FrameCount before, after;
    before.add({100}, 3);
    after.add({100}, 10);
    EXPECT_EQ((after - before) + before, after);
    EXPECT_EQ((after - before).wire.value, 7U * 124);
}

}  // namespace
}  // namespace dpdkperf::stats
