#include "json_document.hpp"

#include <cmath>

namespace dpdkperf::proto {

namespace {

using nlohmann::json;

constexpr std::int64_t kLimit = std::int64_t{1} << 62;

// Behind the string that begins at `at`.
std::size_t after_string(std::string_view text, std::size_t at)
{
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        at += text[at] == '\\' ? 1U : 0U;
    }
    return at + 1;
}

// Behind the value of a member, where a comma or the end of the object is.
std::size_t after_value(std::string_view text, std::size_t at)
{
    int depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (depth == 0 && (c == ',' || c == '}')) {
            break;
        }
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        at = c == '"' ? after_string(text, at) : at + 1;
    }
    return at;
}

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

std::string_view value_text(std::string_view text, std::string_view key)
{
    std::string_view found;
    for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at)) {
        const std::size_t name_end = after_string(text, at);
        const std::string_view name = text.substr(at + 1, name_end - at - 2);
        const std::size_t from = text.find(':', name_end) + 1;
        at = after_value(text, from);
        if (name == key) {
            found = text.substr(from, at - from);
        }
    }
    return found;
}

std::string to_text(const nlohmann::ordered_json& document)
{
    return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace dpdkperf::proto
