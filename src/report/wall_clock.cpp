#include "wall_clock.hpp"

#include "numbers.hpp"

#include <array>
#include <ctime>

namespace dpdkperf::report {

namespace {

constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string formatted(const std::tm& fields, const std::string& format)
{
    std::array<char, 256> text{};
    // Such a format takes no arguments.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const std::size_t length = std::strftime(text.data(), text.size(), format.c_str(), &fields);
#pragma GCC diagnostic pop
    return {text.data(), length};
}

}  // namespace

std::string rfc1123(std::chrono::system_clock::time_point at)
{
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
    return print("%s, %02u %s %d %02d:%02d:%02d GMT", kDays[std::chrono::weekday{day}.c_encoding()],
        static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
}

std::string utc_time(std::chrono::system_clock::time_point at, const std::string& format)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm fields{};
    gmtime_r(&seconds, &fields);
    return formatted(fields, format);
}

std::string local_time(std::chrono::system_clock::time_point at, const std::string& format)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm fields{};
    localtime_r(&seconds, &fields);
    return formatted(fields, format);
}

}  // namespace dpdkperf::report
