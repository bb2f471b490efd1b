#include "indenter.hpp"

#include <utility>

namespace dpdkperf::report {

std::string Indenter::next(std::string_view part)
{
    for (std::size_t at = 0; at < part.size();) {
        if (part[at] == '"') {
            at = string(part, at);
        } else {
            token(part[at++]);
        }
    }
    return std::exchange(text_, {});
}

// Returns where the string has ended.
std::size_t Indenter::string(std::string_view part, std::size_t at)
{
    begin_value();
    std::size_t end = at + 1;
    while (end < part.size() && part[end] != '"') {
        end += part[end] == '\\' ? 2U : 1U;
    }
    text_ += part.substr(at, end + 1 - at);
    return end + 1;
}

void Indenter::token(char c)
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
}

// The first of an object begins a line.
void Indenter::begin_value()
{
    if (std::exchange(fresh_, false) && in_object()) {
        text_ += '\n' + tabs();
    }
}

void Indenter::close(char c)
{
    const bool object = in_object();
    fresh_ = false;
    if (within()) {
        open_.pop_back();
    }
    text_ += (object ? '\n' + tabs() : "") + c;
}

}  // namespace dpdkperf::report
