#include "dpdkperf/options/documents.hpp"
#include "dpdkperf/options/options.hpp"
#include "option.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace dpdkperf::options {

namespace {

// Text as troff prints it unchanged, to stand anywhere but at the beginning of a line.
std::string escaped(std::string_view text)
{
    std::string troff;
    for (const char c : text) {
        switch (c) {
        case '\\':
            troff += "\\e";
            break;
        case '-':
            troff += "\\-";
            break;
        case '\n':
            troff += ' ';
            break;
        default:
            troff += c;
        }
    }
    return troff;
}

std::string bold(std::string_view text)
{
    return "\\fB" + escaped(text) + "\\fR";
}

std::string manual_names(const Option& option)
{
    std::string names = option.flag != 0 ? bold(std::string{'-', option.flag}) + ", " : "";
    names += bold(dashed(option.name));
    if (!option.value_name.empty()) {
        const bool optional = option.takes == Takes::kOptionalValue;
        const std::string value = "\\fI" + escaped(option.value_name) + "\\fR";
        names += optional ? "[=" + value + "]" : " " + value;
    }
    if (!option.alias.empty()) {
        names += " (also " + bold(dashed(option.alias)) + ")";
    }
    return names;
}

// "\&" keeps a line that begins with a dot or a quote from being a request.
std::string manual_entry(const Option& option)
{
    return ".TP\n" + manual_names(option) + "\n\\&" + escaped(option.help) + "\n";
}

std::string entries(const std::function<bool(const Option&)>& wanted)
{
    std::string text;
    for (const Option& option : option_table()) {
        if (wanted(option)) {
            text += manual_entry(option);
        }
    }
    return text;
}

std::string offered(Side side)
{
    return entries(
        [side](const Option& o) { return o.support == Support::kYes && o.side == side; });
}

// "--a, --b and --c", in bold.
std::string listed(const std::function<bool(const Option&)>& wanted)
{
    std::vector<std::string> names;
    for (const Option& option : option_table()) {
        if (wanted(option)) {
            names.push_back(bold(dashed(option.name)));
        }
    }
    std::string text = names.empty() ? "none" : "";
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool last = i + 1 == names.size();
        text += (i == 0 ? "" : last ? " and\n" : ",\n") + names[i];
    }
    return text + "\n";
}

struct Part {
    std::string_view marker;
    std::string (*text)();
};

constexpr Part kParts[] = {
    {"@VERSION@", [] { return ".TH DPDKPERF 1 \"\" \"" + version() + "\" \"User commands\"\n"; }},
    {"@BOTH@", [] { return offered(Side::kBoth); }},
    {"@SERVER@", [] { return offered(Side::kServer); }},
    {"@CLIENT@", [] { return offered(Side::kClient); }},
    {"@PORT@", [] { return offered(Side::kPort); }},
    {"@AUTOMATION@", [] { return offered(Side::kAutomation); }},
    {"@THERE@", [] { return listed([](const Option& o) { return o.effect == Effect::kThere; }); }},
    {"@NONE@", [] { return listed([](const Option& o) { return o.effect == Effect::kNone; }); }},
    {"@NEVER@",
        [] { return entries([](const Option& o) { return o.support == Support::kNever; }); }},
};

}  // namespace

Result<std::string> manual_page(std::string_view frame)
{
    std::string page;
    for (std::size_t at = 0; at < frame.size();) {
        const std::size_t end = std::min(frame.find('\n', at), frame.size());
        const std::string_view line = frame.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with('@')) {
            page += std::string{line} + '\n';
            continue;
        }
        const auto* const part = std::ranges::find(kParts, line, &Part::marker);
        if (part == std::end(kParts)) {
            return Error{Errc::kInput, "manual: unknown part '" + std::string{line} + "'"};
        }
        page += part->text();
    }
    return page;
}

}  // namespace dpdkperf::options
