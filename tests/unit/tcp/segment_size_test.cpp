#include "dpdkperf/tcp/segment_size.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::tcp {
namespace {

TEST(SegmentSize, AFullSegmentFillsThePacketOfEitherFamily)
{
    EXPECT_EQ(own_mss(1500, true, 0), 1460U);
    EXPECT_EQ(own_mss(1500, false, 0), 1440U);
    EXPECT_EQ(usual_payload_bytes(1500, true, 0), 1448U);
    EXPECT_EQ(usual_payload_bytes(1500, false, 0), 1428U);
    EXPECT_EQ(usual_payload_bytes(9000, true, 0), 8948U);
}

TEST(SegmentSize, TheUserMayWantSmallerOnesAndNotLargerOnes)
{
    EXPECT_EQ(own_mss(1500, true, 536), 536U);
    EXPECT_EQ(own_mss(1500, true, 9000), 1460U);
    EXPECT_EQ(usual_payload_bytes(1500, true, 536), 524U);
}

TEST(SegmentSize, NoOptionCarriesMoreThan16Bits)
{
    EXPECT_EQ(own_mss(70'000, true, 0), 65'535U);
}

TEST(SegmentSize, APeerCannotAskForTinyOnes)
{
    EXPECT_EQ(full_payload_bytes(1460, true), 1448U);
    EXPECT_EQ(full_payload_bytes(1460, false), 1460U);
    EXPECT_EQ(full_payload_bytes(1, true), 36U);
    EXPECT_EQ(full_payload_bytes(1, false), 48U);
}

}  // namespace
}  // namespace dpdkperf::tcp
