#include "dpdkperf/options/options.hpp"
#include "option.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace dpdkperf::options {

namespace {

std::string quoted(std::string_view text)
{
    return "'" + std::string{text} + "'";
}

const Option* find_flag(char flag)
{
    for (const Option& option : option_table()) {
        if (option.flag == flag) {
            return &option;
        }
    }
    return nullptr;
}

struct Match {
    const Option* option;
    std::string_view name;
};

// All options that begin with `text`, each once; the one that equals it stands alone. Ours never
// make an abbreviation ambiguous that is none with iperf3.
std::vector<Match> matches(std::string_view text)
{
    std::vector<Match> found;
    for (const Option& option : option_table()) {
        for (const std::string_view name : {option.name, option.alias}) {
            if (name == text) {
                return {{&option, name}};
            }
            const bool known = !found.empty() && found.back().option == &option;
            if (!known && !name.empty() && name.starts_with(text)) {
                found.push_back({&option, name});
            }
        }
    }
    const auto ours = [](const Match& m) { return is_ours(*m.option); };
    if (!std::all_of(found.begin(), found.end(), ours)) {
        std::erase_if(found, ours);
    }
    return found;
}

// The option that `text`, a name up to any '=', stands for: its own, or an abbreviation that fits
// one option only.
Result<const Option*> find_name(std::string_view text)
{
    const std::vector<Match> found = matches(text.substr(0, text.find('=')));
    if (found.empty()) {
        return usage("unrecognized option " + quoted(dashed(text)));
    }
    if (found.size() == 1) {
        return found.front().option;
    }
    std::string message = "option " + quoted(dashed(text)) + " is ambiguous; possibilities:";
    for (const Match& match : found) {
        message += " " + quoted(dashed(match.name));
    }
    return usage(message);
}

Error not_supported(const Option& option)
{
    const std::string flag = option.flag != 0 ? std::string{" (-"} + option.flag + ")" : "";
    const std::string name = dashed(option.name) + flag;
    return usage(name + " is not supported: " + std::string{option.help});
}

// Walks over arguments as getopt_long(3) does, with glibc's words for what is wrong with them
// (2.36, posix/getopt.c). iperf3's options need no permutation: it ignores arguments that belong
// to no option, we refuse them.
class Parser {
public:
    explicit Parser(std::span<const std::string_view> arguments) : rest_{arguments} {}

    Result<Plan> run()
    {
        while (!rest_.empty() && !finished()) {
            const std::string_view argument = rest_.front();
            rest_ = rest_.subspan(1);
            if (const Status status = read(argument); !status) {
                return status.error();
            }
        }
        if (const Status status = validate(draft_); !status) {
            return status.error();
        }
        return std::move(draft_.plan);
    }

private:
    // -h and -v take effect at once, as in iperf3.
    [[nodiscard]] bool finished() const
    {
        return draft_.role == Role::kHelp || draft_.role == Role::kVersion;
    }

    Status read(std::string_view argument)
    {
        if (argument.starts_with("--") && argument.size() > 2) {
            return read_long(argument.substr(2));
        }
        if (argument.starts_with("-") && argument.size() > 1) {
            return read_flags(argument.substr(1));
        }
        return usage("unexpected argument " + quoted(argument));
    }

    Status read_long(std::string_view text)
    {
        const auto equals = text.find('=');
        const auto option = find_name(text);
        if (!option) {
            return option.error();
        }
        const Option& found = **option;
        if (found.support != Support::kYes) {
            return not_supported(found);
        }
        const bool has_value = equals != std::string_view::npos;
        if (found.takes == Takes::kNothing && has_value) {
            return usage("option " + quoted(dashed(found.name)) + " doesn't allow an argument");
        }
        if (has_value) {
            return apply(found, text.substr(equals + 1));
        }
        if (found.takes == Takes::kValue) {
            return apply_next(
                found, "option " + quoted(dashed(found.name)) + " requires an argument");
        }
        return apply(found, {});
    }

    // "uR", "t10", "uVt": switches, the last of which may take a value.
    Status read_flags(std::string_view flags)
    {
        while (!flags.empty() && !finished()) {
            const std::string shown = std::string{" -- '"} + flags.front() + "'";
            const Option* option = find_flag(flags.front());
            flags.remove_prefix(1);
            if (option == nullptr) {
                return usage("invalid option" + shown);
            }
            if (option->support != Support::kYes) {
                return not_supported(*option);
            }
            if (option->takes == Takes::kValue) {
                return flags.empty() ? apply_next(*option, "option requires an argument" + shown)
                                     : apply(*option, flags);
            }
            if (Status status = apply(*option, {}); !status) {
                return status;
            }
        }
        return {};
    }

    // The value is the next argument, whatever it looks like.
    Status apply_next(const Option& option, const std::string& if_missing)
    {
        if (rest_.empty()) {
            return usage(if_missing);
        }
        const std::string_view value = rest_.front();
        rest_ = rest_.subspan(1);
        return apply(option, value);
    }

    Status apply(const Option& option, std::string_view value)
    {
        if (option.side == Side::kClient) {
            draft_.client_option = dashed(option.name);
        } else if (option.side == Side::kServer) {
            draft_.server_option = dashed(option.name);
        }
        Status status = option.apply(draft_, value);
        if (status) {
            return status;
        }
        const std::string shown = option.takes == Takes::kNothing ? "" : " " + quoted(value);
        return std::move(status).error().within(dashed(option.name) + shown);
    }

    std::span<const std::string_view> rest_;
    Draft draft_;
};

}  // namespace

Result<Plan> parse(std::span<const std::string_view> arguments)
{
    const auto border = std::find(arguments.begin(), arguments.end(), "--");
    const bool all_ours = border == arguments.end();
    auto plan = Parser{all_ours ? arguments : std::span{border + 1, arguments.end()}}.run();
    if (plan) {
        plan->eal_arguments.assign(arguments.begin(), all_ours ? arguments.begin() : border);
        plan->command_line.assign(arguments.begin(), arguments.end());
    }
    return plan;
}

}  // namespace dpdkperf::options
