// The options of a server's life and of authentication.

#include "dpdkperf/traffic/traffic.hpp"
#include "setters.hpp"
#include "values.hpp"

#include <array>
#include <cmath>
#include <string>

namespace dpdkperf::options {

namespace {

// iperf3 takes any that an int holds.
constexpr std::int64_t kMaxSkew = INT32_MAX;

// A day, as for -t (iperf 3.12, src/iperf.h, MAX_TIME).
constexpr std::int64_t kLongest = 86'400;

// iperf 3.12, src/iperf.h, MIN_INTERVAL and MAX_INTERVAL.
constexpr double kMinWindow = 0.1, kMaxWindow = 60;

// Linux 6.1, include/net/tcp.h, MAX_TCP_KEEPIDLE and MAX_TCP_KEEPCNT.
constexpr std::int64_t kMaxKeepaliveSeconds = 32'767, kMaxKeepaliveProbes = 127;

}  // namespace

Status set_snd_timeout(Draft& draft, std::string_view value)
{
    return store(
        to_integer(value, 0, kLongest * 1000, "send timeout value is incorrect or not in range"),
        [&](std::int64_t n) { draft.plan.snd_timeout = std::chrono::milliseconds{n}; });
}

// idle/interval/count; what is left out or 0 stays as it is.
Status set_control_keepalive(Draft& draft, std::string_view value)
{
    std::array<std::int64_t, 3> numbers{};
    for (std::size_t i = 0; i < numbers.size() && !value.empty(); ++i) {
        const auto part = value.substr(0, value.find('/'));
        value.remove_prefix(std::min(part.size() + 1, value.size()));
        if (part.empty()) {
            continue;
        }
        const auto number = to_integer(
            part, 0, i < 2 ? kMaxKeepaliveSeconds : kMaxKeepaliveProbes, "number out of range");
        if (!number) {
            return number.error();
        }
        numbers[i] = *number;
    }
    if (!value.empty()) {
        return usage("more than idle/interval/count");
    }
    const auto [idle, interval, count] = numbers;
    if (idle > 0 && idle <= interval * count) {
        return usage("control connection Keepalive period should be larger than the full retry "
                     "period (interval * count)");
    }
    Keepalive& keepalive = draft.plan.control_keepalive;
    keepalive.idle = idle > 0 ? std::chrono::seconds{idle} : keepalive.idle;
    keepalive.interval = interval > 0 ? std::chrono::seconds{interval} : keepalive.interval;
    keepalive.count = count > 0 ? static_cast<int>(count) : keepalive.count;
    return {};
}

Status set_pid_file(Draft& draft, std::string_view value)
{
    draft.plan.pid_file = std::string{value};
    return {};
}

Status set_daemon(Draft& draft, std::string_view)
{
    draft.plan.daemon = true;
    return {};
}

Status set_one_off(Draft& draft, std::string_view)
{
    draft.plan.one_off = true;
    return {};
}

Status set_concurrent(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 1, traffic::kMaxSessions,
                     "number of tests at the same time must be from 1 to " +
                         std::to_string(traffic::kMaxSessions)),
        [&](std::int64_t n) { draft.plan.concurrent = static_cast<std::uint32_t>(n); });
}

Status set_idle_timeout(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 1, kLongest,
                     "idle timeout parameter is not positive or larger than allowed limit"),
        [&](std::int64_t n) { draft.plan.idle_timeout = std::chrono::seconds{n}; });
}

Status set_max_duration(Draft& draft, std::string_view value)
{
    const auto longest =
        to_integer(value, 0, kLongest, "test duration too long (maximum = 86400 seconds)");
    if (!longest) {
        return longest.error();
    }
    draft.plan.max_duration.reset();
    if (*longest > 0) {
        draft.plan.max_duration = std::chrono::seconds{*longest};
    }
    return {};
}

Status set_total_rate(Draft& draft, std::string_view value)
{
    const auto slash = value.find('/');
    const auto rate = to_rate(value.substr(0, slash));
    if (!rate) {
        return rate.error();
    }
    draft.plan.max_total_rate = BitRate::from_bps(*rate);
    if (slash == std::string_view::npos) {
        return {};
    }
    const auto window = to_decimal(value.substr(slash + 1));
    if (!window) {
        return window.error();
    }
    if (*window != 0 && (*window < kMinWindow || *window > kMaxWindow)) {
        return usage("averaging interval must be from 0.1 to 60 seconds");
    }
    draft.plan.rate_window = std::chrono::nanoseconds{std::llround(*window * 1e9)};
    return {};
}

Status set_username(Draft& draft, std::string_view value)
{
    draft.plan.username = std::string{value};
    return {};
}

Status set_public_key(Draft& draft, std::string_view value)
{
    draft.plan.rsa_public_key_path = std::string{value};
    return {};
}

Status set_private_key(Draft& draft, std::string_view value)
{
    draft.plan.rsa_private_key_path = std::string{value};
    return {};
}

Status set_authorized_users(Draft& draft, std::string_view value)
{
    draft.plan.authorized_users_path = std::string{value};
    return {};
}

Status set_time_skew(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 1, kMaxSkew, "skew threshold must be a positive number"),
        [&](std::int64_t n) { draft.plan.max_time_skew = std::chrono::seconds{n}; });
}

Status set_pkcs1_padding(Draft& draft, std::string_view)
{
    draft.plan.pkcs1_padding = true;
    return {};
}

}  // namespace dpdkperf::options
