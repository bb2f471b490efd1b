#include "dpdkperf/impair/plan.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace dpdkperf::impair {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kMostDelay = std::chrono::seconds{10};

Error wrong(std::string_view part, std::string_view why)
{
    return Error{Errc::kUsage, "'" + std::string{part} + "' " + std::string{why}};
}

// What stands before and behind the first `mark`; without one, all stands before it.
std::pair<std::string_view, std::string_view> split(std::string_view text, char mark)
{
    const auto at = text.find(mark);
    return at == std::string_view::npos ? std::pair{text, std::string_view{}}
                                        : std::pair{text.substr(0, at), text.substr(at + 1)};
}

std::optional<double> number(std::string_view text)
{
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, value);
    const bool good = stop == end && problem == std::errc{} && std::isfinite(value) && value >= 0;
    return good ? std::optional{value} : std::nullopt;
}

Status read_share(std::string_view text, double& to)
{
    const bool marked = text.ends_with('%');
    const auto percent = number(text.substr(0, text.size() - (marked ? 1 : 0)));
    if (!marked || !percent || *percent > 100) {
        return wrong(text, "is not a percentage from 0% to 100%");
    }
    to = *percent / 100;
    return {};
}

struct Unit {
    const char* name;
    double nanoseconds;
};
constexpr Unit kUnits[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

Status read_time(std::string_view text, nanoseconds& to)
{
    for (const Unit& unit : kUnits) {
        const std::string_view name{unit.name};
        if (!text.ends_with(name)) {
            continue;
        }
        const auto value = number(text.substr(0, text.size() - name.size()));
        const double count = value.value_or(-1) * unit.nanoseconds;
        if (count >= 0 && count <= static_cast<double>(kMostDelay.count())) {
            to = nanoseconds{std::llround(count)};
            return {};
        }
    }
    return wrong(text, "is not a time up to 10 s, as 5ms, 100us or 1s");
}

Status read_reorder(std::string_view text, Settings& to)
{
    const auto [share, time] = split(text, '/');
    Status status = read_share(share, to.reorder);
    return status ? read_time(time, to.reorder_delay) : std::move(status);
}

Status read_burst(std::string_view text, Settings& to)
{
    const auto [enter, leave] = split(text, '/');
    Status status = read_share(enter, to.burst_enter);
    return status ? read_share(leave, to.burst_leave) : std::move(status);
}

struct Key {
    std::string_view name;
    Status (*read)(std::string_view value, Settings& to);
};
constexpr Key kKeys[] = {
    {"loss", [](std::string_view v, Settings& to) { return read_share(v, to.loss); }},
    {"burst", read_burst},
    {"delay", [](std::string_view v, Settings& to) { return read_time(v, to.delay); }},
    {"reorder", read_reorder},
    {"dup", [](std::string_view v, Settings& to) { return read_share(v, to.duplicate); }},
};

Status read_seed(std::string_view text, std::uint64_t& to)
{
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, to);
    return stop == end && problem == std::errc{} ? Status{} : wrong(text, "is not a seed");
}

Status read_item(std::string_view item, Settings& to, std::uint64_t& seed)
{
    const auto [name, value] = split(item, '=');
    if (name == "seed") {
        return read_seed(value, seed);
    }
    for (const Key& key : kKeys) {
        if (key.name == name) {
            return key.read(value, to);
        }
    }
    return wrong(name, "is none of loss, burst, delay, reorder, dup, seed");
}

std::string share(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.9g%%", value * 100);
    return text;
}

std::string time(nanoseconds value)
{
    const auto count = static_cast<double>(value.count());
    const Unit& unit = count < 1e6 ? kUnits[0] : count < 1e9 ? kUnits[1] : kUnits[2];
    char text[32];
    std::snprintf(text, sizeof text, "%.9g%s", count / unit.nanoseconds, unit.name);
    return text;
}

std::string settings_text(const Settings& s)
{
    std::string text;
    const auto add = [&text](const char* key, const std::string& value) {
        text += (text.empty() ? "" : ",") + std::string{key} + '=' + value;
    };
    if (s.loss > 0) {
        add("loss", share(s.loss));
    }
    if (s.burst_enter > 0) {
        add("burst", share(s.burst_enter) + '/' + share(s.burst_leave));
    }
    if (s.delay.count() > 0) {
        add("delay", time(s.delay));
    }
    if (s.reorder > 0) {
        add("reorder", share(s.reorder) + '/' + time(s.reorder_delay));
    }
    if (s.duplicate > 0) {
        add("dup", share(s.duplicate));
    }
    return text.empty() ? "loss=0%" : text;
}

}  // namespace

Status add(Plan& plan, std::string_view text)
{
    const bool only_tx = text.starts_with("tx:");
    const bool only_rx = text.starts_with("rx:");
    text.remove_prefix(only_tx || only_rx ? 3 : 0);
    Settings settings;
    for (bool more = true; more;) {
        const auto [item, rest] = split(text, ',');
        more = item.size() < text.size();
        text = rest;
        if (Status status = read_item(item, settings, plan.seed); !status) {
            return status;
        }
    }
    for (const auto& [skipped, direction] :
        {std::pair{only_rx, &plan.transmit}, std::pair{only_tx, &plan.receive}}) {
        if (skipped) {
            continue;
        }
        if (*direction) {
            return Error{Errc::kUsage, "this direction has been described already"};
        }
        *direction = settings;
    }
    return {};
}

std::string to_string(const Plan& plan)
{
    std::string text;
    if (plan.transmit) {
        text += "tx:" + settings_text(*plan.transmit) + ' ';
    }
    if (plan.receive) {
        text += "rx:" + settings_text(*plan.receive) + ' ';
    }
    return text + "seed=" + std::to_string(plan.seed);
}

}  // namespace dpdkperf::impair
