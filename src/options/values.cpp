#include "values.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

namespace dpdkperf::options {

namespace {

constexpr std::string_view kSuffixes = "kmgt";  // powers 1, 2, 3, 4

Error not_a_number()
{
    return Error{Errc::kUsage, "not a number"};
}

Result<std::int64_t> within(
    std::int64_t number, std::int64_t min, std::int64_t max, std::string_view range)
{
    if (number < min || number > max) {
        return Error{Errc::kUsage, std::string{range}};
    }
    return number;
}

Result<std::int64_t> integer(std::string_view digits, int base)
{
    std::int64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), end, number, base);
    if (stop != end || problem == std::errc::invalid_argument) {
        return not_a_number();
    }
    if (problem == std::errc::result_out_of_range) {
        return digits.front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                     : std::numeric_limits<std::int64_t>::max();
    }
    return number;
}

// The power of a suffix letter; -1 if it is none.
int suffix_power(char letter)
{
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    const auto at = kSuffixes.find(lower);
    return at == std::string_view::npos ? -1 : static_cast<int>(at) + 1;
}

Result<std::uint64_t> with_suffix(std::string_view text, double step)
{
    double factor = 1;
    if (!text.empty() && suffix_power(text.back()) > 0) {
        factor = std::pow(step, suffix_power(text.back()));
        text.remove_suffix(1);
    }
    const auto number = to_decimal(text);
    if (!number) {
        return number.error();
    }
    const double value = *number * factor;
    if (value >= 0x1p63) {
        return Error{Errc::kUsage, "too large"};
    }
    return static_cast<std::uint64_t>(value);
}

struct NamedTos {
    std::string_view name;
    std::uint8_t tos;
};

// RFC 2474 (cs), 2597 (af), 3246 (ef), 5865 (va) and, the last three, 1349. iperf3 knows va
// since 3.14.
constexpr NamedTos kNamedTos[] = {
    {"af11", 0x28},
    {"af12", 0x30},
    {"af13", 0x38},
    {"af21", 0x48},
    {"af22", 0x50},
    {"af23", 0x58},
    {"af31", 0x68},
    {"af32", 0x70},
    {"af33", 0x78},
    {"af41", 0x88},
    {"af42", 0x90},
    {"af43", 0x98},
    {"cs0", 0x00},
    {"cs1", 0x20},
    {"cs2", 0x40},
    {"cs3", 0x60},
    {"cs4", 0x80},
    {"cs5", 0xa0},
    {"cs6", 0xc0},
    {"cs7", 0xe0},
    {"ef", 0xb8},
    {"va", 0xb0},
    {"lowdelay", 0x10},
    {"throughput", 0x08},
    {"reliability", 0x04},
};

bool equal_ignoring_case(std::string_view a, std::string_view b)
{
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
               [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

Result<std::int64_t> to_integer(
    std::string_view text, std::int64_t min, std::int64_t max, std::string_view range)
{
    const auto number = integer(text, 10);
    return number ? within(*number, min, max, range) : number;
}

Result<std::int64_t> to_any_base_integer(
    std::string_view text, std::int64_t min, std::int64_t max, std::string_view range)
{
    int base = 10;
    std::string_view digits = text;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
        base = 16;
        digits.remove_prefix(2);
    } else if (digits.size() > 1 && digits.front() == '0') {
        base = 8;
    }
    const auto number = integer(digits, base);
    return number ? within(*number, min, max, range) : number;
}

Result<double> to_decimal(std::string_view text)
{
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] =
        std::from_chars(text.data(), end, number, std::chars_format::general);
    if (stop != end || problem != std::errc{} || !std::isfinite(number)) {
        return not_a_number();
    }
    if (number < 0) {
        return Error{Errc::kUsage, "must not be negative"};
    }
    return number;
}

Result<std::uint64_t> to_size(std::string_view text)
{
    return with_suffix(text, 1024);
}

Result<std::uint64_t> to_rate(std::string_view text)
{
    return with_suffix(text, 1000);
}

Result<std::uint8_t> to_dscp_tos(std::string_view text)
{
    for (const NamedTos& named : kNamedTos) {
        if (equal_ignoring_case(text, named.name)) {
            return named.tos;
        }
    }
    const auto dscp = to_any_base_integer(text, 0, 63, "");
    if (!dscp) {
        return Error{Errc::kUsage, "bad TOS value (must be between 0 and 63, or a name as af11)"};
    }
    return static_cast<std::uint8_t>(*dscp << 2);
}

HostAndDevice split_host(std::string_view text)
{
    const auto percent = text.find('%');
    if (percent == std::string_view::npos || percent == 0 || percent + 1 == text.size()) {
        return {std::string{text}, {}};
    }
    return {std::string{text.substr(0, percent)}, std::string{text.substr(percent + 1)}};
}

}  // namespace dpdkperf::options
