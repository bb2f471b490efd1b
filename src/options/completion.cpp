#include "dpdkperf/options/documents.hpp"
#include "option.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace dpdkperf::options {

namespace {

// What bash offers for a value, by the name that the help gives it.
struct Choice {
    std::string_view value_name, words;
};

constexpr Choice kChoices[] = {
    {"<dev>", "$(compgen -W \"$(ls /sys/class/net)\" -- \"$word\")"},
    {"<file>", "$(compgen -f -- \"$word\")"},
    {"<dir>", "$(compgen -d -- \"$word\")"},
    {"<host>[%<dev>]", "$(compgen -A hostname -- \"$word\")"},
};

// "a|b" is a choice of words.
bool is_choice(std::string_view value_name)
{
    return value_name.find('|') != std::string_view::npos &&
           std::ranges::all_of(value_name,
               [](unsigned char c) { return c == '|' || c == '-' || std::isalnum(c) != 0; });
}

// The words for a value; none where nobody can guess it.
std::string words_for(std::string_view value_name)
{
    if (is_choice(value_name)) {
        std::string words{value_name};
        std::ranges::replace(words, '|', ' ');
        return "$(compgen -W '" + words + "' -- \"$word\")";
    }
    const auto* const known = std::ranges::find(kChoices, value_name, &Choice::value_name);
    return known == std::end(kChoices) ? std::string{} : std::string{known->words};
}

// -t, --time, and an older name.
std::vector<std::string> names_of(const Option& option)
{
    std::vector<std::string> names{"--" + std::string{option.name}};
    if (!option.alias.empty()) {
        names.push_back("--" + std::string{option.alias});
    }
    if (option.flag != 0) {
        names.push_back(std::string{'-', option.flag});
    }
    return names;
}

// "    -t | --time) COMPREPLY=(...); return ;;"
std::string value_case(const Option& option)
{
    std::string pattern;
    for (const std::string& name : names_of(option)) {
        pattern += (pattern.empty() ? "" : " | ") + name;
    }
    const std::string words = words_for(option.value_name);
    return "    " + pattern + ") COMPREPLY=(" + words + "); return ;;\n";
}

constexpr std::string_view kBegin =
    R"(# Completion of dpdkperf's options for bash, made when it was built.
_dpdkperf()
{
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    # --name=value is three words.
    [[ $word == = ]] && word=
    [[ $option == = ]] && option=${COMP_WORDS[COMP_CWORD - 2]}
    # Of several switches in one word the last may take a value.
    [[ $option == -[^-]* ]] && option=-${option: -1}
    case $option in
)";

constexpr std::string_view kEnd = R"(
    COMPREPLY=($(compgen -W "$names" -- "$word"))
}
complete -F _dpdkperf dpdkperf
)";

}  // namespace

std::string bash_completion()
{
    std::string cases, names;
    for (const Option& option : option_table()) {
        if (option.support != Support::kYes) {
            continue;
        }
        names += " --" + std::string{option.name};
        if (option.takes == Takes::kValue) {
            cases += value_case(option);
        }
    }
    return std::string{kBegin} + cases + "    esac\n    local names='" + names.substr(1) + "'" +
           std::string{kEnd};
}

}  // namespace dpdkperf::options
