#pragma once

// What the two documents of the protocol share: strict reading of foreign JSON.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace dpdkperf::proto {

// The object that `text` holds; a discarded value if it is anything else, or nested more deeply
// than `max_depth`. Never throws. Of a key that comes twice the last one counts.
nlohmann::json parse_object(std::string_view text, int max_depth);

// A number with its fraction cut off. Everything from 2^62 on is -1: iperf 3.12 and 3.13 print -1
// as 2^64 - 1 (src/cjson.c), and no counter gets there. Empty if `value` is no number.
std::optional<std::int64_t> to_counter(const nlohmann::json& value);

// The value of member `key` as it stands in the object `text`, the last one if there are several;
// empty if there is none. `text`: valid JSON.
std::string_view value_text(std::string_view text, std::string_view key);

// One line, and U+FFFD for what is not UTF-8 instead of an exception.
std::string to_text(const nlohmann::ordered_json& document);

}  // namespace dpdkperf::proto
