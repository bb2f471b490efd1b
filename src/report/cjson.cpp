#include "cjson.hpp"

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

// Puts tabs and lines between the tokens of a JSON text.
class Indenter {
public:
    std::string run(std::string_view json)
    {
        for (std::size_t at = 0; at < json.size();) {
            at = json[at] == '"' ? string(json, at) : token(json[at], at);
        }
        return std::move(text_);
    }

private:
    // Returns where the string has ended.
    std::size_t string(std::string_view json, std::size_t at)
    {
        begin_value();
        std::size_t end = at + 1;
        while (end < json.size() && json[end] != '"') {
            end += json[end] == '\\' ? 2U : 1U;
        }
        text_ += json.substr(at, end + 1 - at);
        return end + 1;
    }

    std::size_t token(char c, std::size_t at)
    {
        switch (c) {
        case '{':
        case '[':
            begin_value();
            open_ += c;
            text_ += c;
            fresh_ = true;
            break;
        case '}':
        case ']':
            close(c);
            break;
        case ',':
            text_ += in_object() ? ",\n" + tabs() : ", ";
            break;
        case ':':
            text_ += ":\t";
            break;
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            break;
        default:
            begin_value();
            text_ += c;
        }
        return at + 1;
    }

    // The first of an object begins a line.
    void begin_value()
    {
        if (std::exchange(fresh_, false) && in_object()) {
            text_ += '\n' + tabs();
        }
    }

    void close(char c)
    {
        const bool object = in_object();
        fresh_ = false;
        if (!open_.empty()) {
            open_.pop_back();
        }
        text_ += (object ? '\n' + tabs() : "") + c;
    }

    [[nodiscard]] bool in_object() const { return !open_.empty() && open_.back() == '{'; }
    [[nodiscard]] std::string tabs() const { return std::string(open_.size(), '\t'); }

    std::string text_, open_;
    bool fresh_ = false;  // nothing has come since the last bracket
};

}  // namespace

std::string print_json_line(const Json& value)
{
    std::string text;
    render(value, text);
    return text;
}

std::string indented(std::string_view json)
{
    return Indenter{}.run(json);
}

std::string print_json(const Json& value)
{
    return indented(print_json_line(value));
}

void append(Json& object, std::string_view key, Json value)
{
    if (object.is_null()) {
        object = Json::object();
    }
    object.get_ref<Json::object_t&>().push_back({std::string{key}, std::move(value)});
}

}  // namespace dpdkperf::report
