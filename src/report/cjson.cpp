#include "cjson.hpp"

#include "indenter.hpp"
#include "numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

namespace dpdkperf::report {

namespace {

// cJSON's compare_double(): equal but for a rounding of the last bit.
bool nearly_equal(double a, double b)
{
    const double larger = std::max(std::fabs(a), std::fabs(b));
    return std::fabs(a - b) <= larger * std::numeric_limits<double>::epsilon();
}

std::string number(double value)
{
    if (!std::isfinite(value)) {
        return "null";
    }
    std::string text = print("%1.15g", value);
    if (!nearly_equal(std::strtod(text.c_str(), nullptr), value)) {
        text = print("%1.17g", value);
    }
    return text;
}

std::string quoted(const std::string& text)
{
    std::string result = "\"";
    for (const char c : text) {
        switch (c) {
        case '"':
        case '\\':
            result += {'\\', c};
            break;
        case '\b':
            result += "\\b";
            break;
        case '\f':
            result += "\\f";
            break;
        case '\n':
            result += "\\n";
            break;
        case '\r':
            result += "\\r";
            break;
        case '\t':
            result += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                result += print("\\u%04x", static_cast<unsigned>(c));
            } else {
                result += c;
            }
        }
    }
    return result + '"';
}

void render(const Json& json, std::string& text);

void render_object(const Json::object_t& members, std::string& text)
{
    const char* separator = "{";
    for (const auto& [key, member] : members) {
        text += separator + quoted(key) + ':';
        render(member, text);
        separator = ",";
    }
    text += members.empty() ? "{}" : "}";
}

void render_array(const Json& elements, std::string& text)
{
    const char* separator = "[";
    for (const Json& element : elements) {
        text += separator;
        render(element, text);
        separator = ",";
    }
    text += elements.empty() ? "[]" : "]";
}

void render(const Json& json, std::string& text)
{
    switch (json.type()) {
    case Json::value_t::object:
        return render_object(json.get_ref<const Json::object_t&>(), text);
    case Json::value_t::array:
        return render_array(json, text);
    case Json::value_t::string:
        text += quoted(json.get_ref<const std::string&>());
        break;
    case Json::value_t::boolean:
        text += json.get<bool>() ? "true" : "false";
        break;
    case Json::value_t::number_integer:
        text += std::to_string(json.get<std::int64_t>());
        break;
    case Json::value_t::number_unsigned:
        text += std::to_string(json.get<std::uint64_t>());
        break;
    case Json::value_t::number_float:
        text += number(json.get<double>());
        break;
    default:
        text += "null";
    }
}

}  // namespace

std::string print_json_line(const Json& value)
{
    std::string text;
    render(value, text);
    return text;
}

std::string indented(std::string_view json)
{
    return Indenter{}.next(json);
}

void append(Json& object, std::string_view key, Json value)
{
    if (object.is_null()) {
        object = Json::object();
    }
    object.get_ref<Json::object_t&>().push_back({std::string{key}, std::move(value)});
}

}  // namespace dpdkperf::report
