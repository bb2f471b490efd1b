// --require: "rx>=90G,loss<=0.01%".

#include "requirements.hpp"

#include "values.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace dpdkperf::options {

namespace {

using stats::Measure;

Result<double> read_rate(std::string_view text)
{
    auto rate = to_rate(text);
    return rate ? Result{static_cast<double>(*rate)} : std::move(rate).error();
}

Result<double> read_percentage(std::string_view text)
{
    const auto percent = to_decimal(text.substr(0, text.size() - (text.ends_with('%') ? 1 : 0)));
    if (!text.ends_with('%') || !percent || *percent > 100) {
        return usage("not a percentage from 0% to 100%");
    }
    return *percent;
}

Result<double> read_count(std::string_view text)
{
    const auto count =
        to_integer(text, 0, std::numeric_limits<std::int32_t>::max(), "must be from 0 to 2^31-1");
    return count ? Result{static_cast<double>(*count)} : count.error();
}

Result<double> read_milliseconds(std::string_view text)
{
    const bool in_ms = text.ends_with("ms");
    if (text.ends_with('s')) {
        text.remove_suffix(in_ms ? 2 : 1);
        if (const auto number = to_decimal(text)) {
            return *number * (in_ms ? 1 : 1000);
        }
    }
    return usage("not a time, as 0.5ms or 1s");
}

Result<double> read_wanted(Measure measure, std::string_view text)
{
    switch (measure) {
    case Measure::kSent:
    case Measure::kReceived:
    case Measure::kPacketRate:
        return read_rate(text);
    case Measure::kLoss:
        return read_percentage(text);
    case Measure::kRetransmits:
        return read_count(text);
    case Measure::kJitter:
        return read_milliseconds(text);
    }
    return usage("unknown");
}

std::string all_names()
{
    std::string names;
    for (const stats::MeasureName& known : stats::kMeasureNames) {
        names += (names.empty() ? "" : ", ") + std::string{known.name};
    }
    return names;
}

Result<stats::Requirement> read_requirement(std::string_view text)
{
    const auto at = std::min(text.find_first_of("<>"), text.size());
    const std::string_view rest = text.substr(at);
    const auto* const sign = std::ranges::find_if(
        stats::kSigns, [rest](std::string_view s) { return rest.starts_with(s); });
    if (sign == stats::kSigns.end()) {
        return usage("'" + std::string{text} + "' has none of >=, <=, > and <");
    }
    const std::string_view name = text.substr(0, at);
    const auto* const known =
        std::ranges::find(stats::kMeasureNames, name, &stats::MeasureName::name);
    if (known == stats::kMeasureNames.end()) {
        return usage("'" + std::string{name} + "' is none of " + all_names());
    }
    auto wanted = read_wanted(known->measure, rest.substr(sign->size()));
    if (!wanted) {
        return std::move(wanted).error().within(text);
    }
    const auto comparison = static_cast<stats::Comparison>(sign - stats::kSigns.begin());
    return stats::Requirement{known->measure, comparison, *wanted};
}

}  // namespace

Status add_requirements(std::vector<stats::Requirement>& requirements, std::string_view text)
{
    for (bool more = true; more;) {
        const auto comma = std::min(text.find(','), text.size());
        const auto requirement = read_requirement(text.substr(0, comma));
        if (!requirement) {
            return requirement.error();
        }
        requirements.push_back(*requirement);
        more = comma < text.size();
        text.remove_prefix(comma + (more ? 1 : 0));
    }
    return {};
}

Status check_requirements(const Plan& plan)
{
    const bool udp = plan.protocol == Protocol::kUdp;
    for (const stats::Requirement& requirement : plan.requirements) {
        const stats::MeasureName& known = stats::name_of(requirement.measure);
        if (!(udp ? known.udp : known.tcp)) {
            return usage("--require: " + std::string{known.name} +
                         (udp ? " is known of TCP only" : " is known of UDP (-u) only"));
        }
    }
    return {};
}

}  // namespace dpdkperf::options
