#include "numbers.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;

// Columns as iperf 3.12 prints them: four wide, but "1000" and fixed units may be longer.
TEST(BytesText, HasFourColumnsAndAUnitOf1024)
{
    struct Case {
        std::uint64_t bytes;
        std::string_view text;
    };
    const Case cases[] = {{0, "0.00 Byte"}, {9, "9.00 Byte"}, {512, " 512 Byte"},
        {1000, "1000 Byte"}, {1023, "1023 Byte"}, {1024, "1.00 KByte"}, {10'228, "9.99 KByte"},
        {10'235, "10.0 KByte"}, {102'348, "99.9 KByte"}, {102'349, " 100 KByte"},
        {1'048'575, "1024 KByte"}, {1'048'576, "1.00 MByte"}, {5'000'000'000, "4.66 GByte"},
        {1ULL << 40, "1.00 TByte"}, {5000ULL << 40, "5000 TByte"}};
    for (const Case& c : cases) {
        EXPECT_EQ(bytes_text(PayloadBytes{c.bytes}), c.text) << c.bytes;
    }
}

TEST(RateText, CountsBitsInThousandsAndBytesIn1024)
{
    struct Case {
        double rate;
        RateUnit unit;
        std::string_view text;
    };
    const Case cases[] = {{0, RateUnit::kAdaptiveBits, "0.00 bit"},
        {999.4, RateUnit::kAdaptiveBits, " 999 bit"},
        {999'960, RateUnit::kAdaptiveBits, "1000 Kbit"},
        {1'000'000, RateUnit::kAdaptiveBits, "1.00 Mbit"},
        {25'149'000, RateUnit::kKbits, "25149 Kbit"}, {25'149'000, RateUnit::kMbits, "25.1 Mbit"},
        {25'149'000, RateUnit::kGbits, "0.03 Gbit"}, {3e12, RateUnit::kTbits, "3.00 Tbit"},
        {8 * 1024.0, RateUnit::kKbytes, "1.00 KByte"},
        {8 * 1048576.0, RateUnit::kMbytes, "1.00 MByte"},
        {80 * 1048576.0, RateUnit::kAdaptiveBytes, "10.0 MByte"}};
    for (const Case& c : cases) {
        EXPECT_EQ(rate_text(c.rate, c.unit), c.text);
    }
}

TEST(ToSeconds, KeepsMicrosecondsAndTheSign)
{
    EXPECT_EQ(to_seconds(1s + 87us + 999ns), 1.000087);
    EXPECT_EQ(to_seconds(-24us), -0.000024);
    EXPECT_EQ(to_seconds(0ns), 0.0);
}

TEST(Percent, IsZeroOfNothing)
{
    EXPECT_EQ(percent(1, 4), 25.0);
    EXPECT_EQ(percent(5, 0), 0.0);
}

}  // namespace
}  // namespace dpdkperf::report
