// What a day takes: 86,400 intervals.

#include "dpdkperf/report/reporter.hpp"

#include <ostream>
#include <streambuf>

#include <gtest/gtest.h>
#include <malloc.h>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;

// Counts what is written and forgets it.
class Sieve : public std::streambuf {
public:
    std::size_t bytes = 0;

protected:
    std::streamsize xsputn(const char*, std::streamsize count) override
    {
        bytes += static_cast<std::size_t>(count);
        return count;
    }
    int_type overflow(int_type c) override
    {
        ++bytes;
        return c;
    }
};

std::size_t in_use()
{
    return mallinfo2().uordblks;
}

class Day : public testing::TestWithParam<Style> {};

TEST_P(Day, TakesNoMoreMemoryThanAMinute)
{
    if (in_use() == 0) {
        GTEST_SKIP() << "mallinfo2() knows nothing of a sanitizer's heap";
    }
    constexpr int kMinute = 60, kDay = 86'400;
    constexpr std::size_t kAllowance = 64 << 10;
    Sieve sieve;
    std::ostream out{&sieve};
    Reporter reporter{GetParam(), out, out};
    stats::TestSettings settings;
    settings.streams = 2;
    reporter.connecting("10.0.0.2", 5201, false);
    reporter.started(settings);
    reporter.connected({{5, {}, {}}, {6, {}, {}}});
    std::size_t after_a_minute = 0, written = 0;
    for (int second = 0; second < kDay; ++second) {
        if (second == kMinute) {
            reporter.flush();
            after_a_minute = in_use();
            written = sieve.bytes;
        }
        stats::Transfer stream{5, false, second * 1s, (second + 1) * 1s, {1000}, 1, 0, 0};
        reporter.interval({false, {stream, stream}});
        if (second % kMinute == 0) {
            reporter.flush();
        }
    }
    reporter.flush();
    EXPECT_GT(sieve.bytes, written * 1000);  // all of it has been printed
    EXPECT_LT(in_use(), after_a_minute + kAllowance);
}

Style style_of_day(bool json, bool stream)
{
    Style style;
    style.json = json;
    style.json_stream = stream;
    return style;
}

Style beside_others(Style style)
{
    style.test = 1;
    return style;
}

INSTANTIATE_TEST_SUITE_P(Sinks, Day,
    testing::Values(style_of_day(false, false), style_of_day(true, false), style_of_day(true, true),
        beside_others(style_of_day(true, true))));

}  // namespace
}  // namespace dpdkperf::report
