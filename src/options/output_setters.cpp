// What is printed: when, where and how.

#include "setters.hpp"
#include "values.hpp"

#include <chrono>
#include <string>

namespace dpdkperf::options {

namespace {

constexpr double kMinInterval = 0.1, kMaxInterval = 60;  // iperf 3.12, src/iperf.h
constexpr int kMaxDebugLevel = 4;
constexpr std::string_view kDefaultTimestamp = "%c ";

}  // namespace

Status set_interval(Draft& draft, std::string_view value)
{
    const auto seconds = to_decimal(value);
    if (!seconds) {
        return seconds.error();
    }
    if (*seconds != 0 && (*seconds < kMinInterval || *seconds > kMaxInterval)) {
        return Error{Errc::kUsage, "invalid report interval (min = 0.1, max = 60 seconds)"};
    }
    draft.plan.interval =
        std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>{*seconds});
    return {};
}

Status set_verbose(Draft& draft, std::string_view)
{
    draft.plan.verbose = true;
    return {};
}

Status set_json(Draft& draft, std::string_view)
{
    draft.plan.json = true;
    return {};
}

Status set_json_stream(Draft& draft, std::string_view)
{
    draft.plan.json = draft.plan.json_stream = true;
    return {};
}

Status set_json_stream_full(Draft& draft, std::string_view)
{
    draft.plan.json_stream_full = true;
    return {};
}

Status set_force_flush(Draft& draft, std::string_view)
{
    draft.plan.force_flush = true;
    return {};
}

Status set_format(Draft& draft, std::string_view value)
{
    // iperf3 looks no further: "Mbits" will do.
    if (value.empty() || std::string_view{"kmgtKMGT"}.find(value.front()) == value.npos) {
        return Error{
            Errc::kUsage, "bad format specifier (valid formats are in the set [kmgtKMGT])"};
    }
    draft.plan.rate_unit = static_cast<RateUnit>(value.front());
    return {};
}

Status set_timestamps(Draft& draft, std::string_view value)
{
    draft.plan.timestamp_format = value.empty() ? kDefaultTimestamp : value;
    return {};
}

Status set_log_file(Draft& draft, std::string_view value)
{
    draft.plan.log_file = std::string{value};
    return {};
}

Status set_debug(Draft& draft, std::string_view value)
{
    if (value.empty()) {
        draft.plan.debug_level = kMaxDebugLevel;
        return {};
    }
    return store(to_integer(value, 0, kMaxDebugLevel, "debug level must be from 0 to 4"),
        [&](std::int64_t n) { draft.plan.debug_level = static_cast<int>(n); });
}

Status set_get_server_output(Draft& draft, std::string_view)
{
    draft.plan.get_server_output = true;
    return {};
}

Status set_title(Draft& draft, std::string_view value)
{
    draft.plan.title = std::string{value};
    return {};
}

Status set_extra_data(Draft& draft, std::string_view value)
{
    draft.plan.extra_data = std::string{value};
    return {};
}

}  // namespace dpdkperf::options
