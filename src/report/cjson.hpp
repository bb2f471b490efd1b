#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace dpdkperf::report {

using Json = nlohmann::ordered_json;

// The value as cJSON_PrintUnformatted() writes it (cJSON 1.7.15 as changed by iperf 3.12,
// src/cjson.c): on one line without blanks, numbers with 15 digits where they are enough and else
// 17. Integers below 0 are printed as such, which 3.12 and 3.13 alone do not.
std::string print_json_line(const Json& value);

// The same document as cJSON_Print() writes it: tabs, "key":<tab>value. `json`: valid, of any
// layout.
std::string indented(std::string_view json);

// Adds a key at the end even if there is one of that name: up to 3.13 iperf3 repeats some.
void append(Json& object, std::string_view key, Json value);

}  // namespace dpdkperf::report
