#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dpdkperf::report {

// Puts tabs and lines between the tokens of JSON, as cJSON_Print() does. Strings and numbers stay
// as they are, so do keys that come twice.
class Indenter {
public:
    // The next part of the text, indented. It must not end within a string.
    std::string next(std::string_view part);

    // Whether the value is not complete yet.
    [[nodiscard]] bool within() const { return !open_.empty(); }

private:
    std::size_t string(std::string_view part, std::size_t at);
    void token(char c);
    void begin_value();
    void close(char c);
    [[nodiscard]] bool in_object() const { return within() && open_.back() == '{'; }
    [[nodiscard]] std::string tabs() const { return std::string(open_.size(), '\t'); }

    std::string text_, open_;
    bool fresh_ = false;  // nothing has come since the last bracket
};

}  // namespace dpdkperf::report
