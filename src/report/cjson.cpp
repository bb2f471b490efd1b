#include "cjson.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

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

class Printer {
public:
    void value(const Json& json, std::size_t depth)
    {
        switch (json.type()) {
        case Json::value_t::object:
            object(json.get_ref<const Json::object_t&>(), depth);
            break;
        case Json::value_t::array:
            array(json, depth);
            break;
        case Json::value_t::string:
            text_ += quoted(json.get_ref<const std::string&>());
            break;
        case Json::value_t::boolean:
            text_ += json.get<bool>() ? "true" : "false";
            break;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            text_ += std::to_string(json.get<std::uint64_t>());
            break;
        case Json::value_t::number_float:
            text_ += number(json.get<double>());
            break;
        default:
            text_ += "null";
        }
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void object(const Json::object_t& members, std::size_t depth)
    {
        text_ += "{\n";
        std::size_t left = members.size();
        for (const auto& [key, member] : members) {
            text_ += std::string(depth + 1, '\t') + quoted(key) + ":\t";
            value(member, depth + 1);
            text_ += --left > 0 ? ",\n" : "\n";
        }
        text_ += std::string(depth, '\t') + '}';
    }

    void array(const Json& elements, std::size_t depth)
    {
        text_ += '[';
        const char* separator = "";
        for (const Json& element : elements) {
            text_ += separator;
            value(element, depth + 1);
            separator = ", ";
        }
        text_ += ']';
    }

    std::string text_;
};

}  // namespace

std::string print_json(const Json& value)
{
    Printer printer;
    printer.value(value, 0);
    return printer.take();
}

void append(Json& object, std::string_view key, Json value)
{
    if (object.is_null()) {
        object = Json::object();
    }
    object.get_ref<Json::object_t&>().push_back({std::string{key}, std::move(value)});
}

}  // namespace dpdkperf::report
