#pragma once

#include "dpdkperf/base/units.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace dpdkperf::report {

// snprintf into a string.
[[gnu::format(printf, 1, 2)]] std::string print(const char* format, ...);

// Seconds with iperf3's resolution of a microsecond. The sum is made as iperf3 makes it, so that
// not even the last digit of a rate in JSON differs (iperf 3.12, src/iperf_time.c).
double to_seconds(std::chrono::nanoseconds time);

// Payload bits per second; 0 for an empty interval.
double rate_over(PayloadBytes bytes, double seconds);

// 100 * part / whole; 0 of nothing.
double percent(std::int64_t part, std::int64_t whole);

// Of a file, rounded down; 100 of nothing (iperf 3.12, src/iperf_api.c, iperf_print_results).
int whole_percent(std::uint64_t part, std::uint64_t whole);

// "1.23 KByte", " 977 KByte": four columns, powers of 1024, the unit chosen by the value. The
// plural's "s" is the caller's (iperf 3.12, src/units.c, unit_snprintf).
std::string bytes_text(PayloadBytes bytes);

// "1.05 Mbit", "25149 Kbit": as bytes_text, of a rate; "s/sec" is the caller's.
std::string rate_text(double bits_per_second, RateUnit unit = RateUnit::kAdaptiveBits);

}  // namespace dpdkperf::report
