#pragma once

#include <chrono>
#include <string>

namespace dpdkperf::report {

// "Sun, 22 Nov 2026 10:27:08 GMT" (RFC 1123), whatever the locale.
std::string rfc1123(std::chrono::system_clock::time_point at);

// In UTC or local time, as strftime(3) has it; empty if `format` makes more than 255 bytes of it.
std::string utc_time(std::chrono::system_clock::time_point at, const std::string& format);
std::string local_time(std::chrono::system_clock::time_point at, const std::string& format);

}  // namespace dpdkperf::report
