#include "numbers.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace dpdkperf::report {

namespace {

constexpr std::string_view kPrefixes = "KMGT";
constexpr double kBitsPerByte = 8;

// The value in four columns, with the prefix of `power` and the unit.
std::string columns(double value, std::size_t power, std::string_view unit)
{
    const char* const format = value < 9.995 ? "%4.2f " : value < 99.95 ? "%4.1f " : "%4.0f ";
    std::array<char, 64> digits{};
    // All three formats take one double.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::snprintf(digits.data(), digits.size(), format, value);
#pragma GCC diagnostic pop
    std::string text = digits.data();
    if (power > 0) {
        text += kPrefixes[power - 1];
    }
    return text + std::string{unit};
}

std::string adaptive(double value, double step, std::string_view unit)
{
    std::size_t power = 0;
    while (value >= step && power < kPrefixes.size()) {
        value /= step;
        ++power;
    }
    return columns(value, power, unit);
}

std::string fixed(double value, double step, std::size_t power, std::string_view unit)
{
    for (std::size_t i = 0; i < power; ++i) {
        value /= step;
    }
    return columns(value, power, unit);
}

}  // namespace

std::string print(const char* format, ...)
{
    std::array<char, 1024> text{};
    va_list arguments;
    va_start(arguments, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is the line above
    std::vsnprintf(text.data(), text.size(), format, arguments);
    va_end(arguments);
    return text.data();
}

double to_seconds(std::chrono::nanoseconds time)
{
    const auto magnitude = std::chrono::abs(time);
    const auto whole = std::chrono::floor<std::chrono::seconds>(magnitude);
    const auto rest = std::chrono::floor<std::chrono::microseconds>(magnitude - whole);
    const double seconds =
        static_cast<double>(whole.count()) + static_cast<double>(rest.count()) / 1'000'000.0;
    return time < magnitude ? -seconds : seconds;
}

double rate_over(PayloadBytes bytes, double seconds)
{
    return seconds > 0 ? bits(bytes) / seconds : 0.0;
}

double percent(std::int64_t part, std::int64_t whole)
{
    return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

int whole_percent(std::uint64_t part, std::uint64_t whole)
{
    const double share =
        static_cast<double>(part) / static_cast<double>(std::max(whole, std::uint64_t{1}));
    return whole == 0 ? 100 : static_cast<int>(share * 100.0);
}

std::string bytes_text(PayloadBytes bytes)
{
    return adaptive(static_cast<double>(bytes.value), 1024, "Byte");
}

std::string rate_text(double bits_per_second, RateUnit unit)
{
    const char letter = static_cast<char>(unit);
    const bool in_bytes = std::isupper(static_cast<unsigned char>(letter)) != 0;
    const double value = in_bytes ? bits_per_second / kBitsPerByte : bits_per_second;
    const double step = in_bytes ? 1024 : 1000;
    // iperf3 writes bits per second without a capital: "bits", "Kbits".
    const std::string_view name = in_bytes ? "Byte" : "bit";
    const auto at =
        kPrefixes.find(static_cast<char>(std::toupper(static_cast<unsigned char>(letter))));
    return at == std::string_view::npos ? adaptive(value, step, name)
                                        : fixed(value, step, at + 1, name);
}

}  // namespace dpdkperf::report
