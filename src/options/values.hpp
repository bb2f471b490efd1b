#pragma once

#include "dpdkperf/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dpdkperf::options {

// Readers of option values. All of them take the whole text or nothing: where iperf3 reads
// "ten" as 0 and "12x" as 12 (atoi), these fail. Errors give the reason only.

// A decimal integer. `range` is the error's text for a number outside.
Result<std::int64_t> to_integer(
    std::string_view text, std::int64_t min, std::int64_t max, std::string_view range);

// As to_integer, but also octal (064) and hexadecimal (0x34), as strtol with base 0.
Result<std::int64_t> to_any_base_integer(
    std::string_view text, std::int64_t min, std::int64_t max, std::string_view range);

// A decimal number of at least 0; fractions and exponents (1e9) are allowed.
Result<double> to_decimal(std::string_view text);

// A number with an optional suffix K, M, G or T of either case; fractions are allowed, the
// result is rounded down. In a size the suffixes are powers of 1024, in a rate of 1000
// (iperf 3.12, src/units.c, unit_atof and unit_atof_rate).
Result<std::uint64_t> to_size(std::string_view text);
Result<std::uint64_t> to_rate(std::string_view text);

// A DSCP, 0 to 63 or a name (af11, cs1, ef, …), as TOS byte.
Result<std::uint8_t> to_dscp_tos(std::string_view text);

// Puts a value that was read into its place, or hands the error on.
template <class T, class Into>
Status store(Result<T> read, Into&& into)
{
    if (!read) {
        return std::move(read).error();
    }
    std::forward<Into>(into)(*read);
    return {};
}

// host[%dev] in its two parts.
struct HostAndDevice {
    std::string host, device;
};
HostAndDevice split_host(std::string_view text);

}  // namespace dpdkperf::options
