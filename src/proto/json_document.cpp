#include "json_document.hpp"

#include <cmath>

namespace dpdkperf::proto {

namespace {

using nlohmann::json;

constexpr std::int64_t kLimit = std::int64_t{1} << 62;

}  // namespace

json parse_object(std::string_view text, int max_depth)
{
    bool too_deep = false;
    const auto watch_depth = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > max_depth;
        return !too_deep;
    };
    json document = json::parse(text, watch_depth, false);
    if (too_deep || !document.is_object()) {
        return json::value_t::discarded;
    }
    return document;
}

std::optional<std::int64_t> to_counter(const json& value)
{
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        return number < std::uint64_t{kLimit} ? static_cast<std::int64_t>(number) : -1;
    }
    if (value.is_number_integer()) {
        const auto number = value.get<std::int64_t>();
        return number > -kLimit ? number : -1;
    }
    if (value.is_number_float()) {
        const double number = value.get<double>();
        return std::abs(number) < static_cast<double>(kLimit) ? static_cast<std::int64_t>(number)
                                                              : -1;
    }
    return {};
}

std::string to_text(const nlohmann::ordered_json& document)
{
    return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace dpdkperf::proto
