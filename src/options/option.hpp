#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dpdkperf::options {

// The last two are not iperf3's, and of both roles unless a setter says otherwise.
enum class Side { kBoth, kServer, kClient, kPort, kAutomation };
enum class Takes { kNothing, kValue, kOptionalValue };  // kOptionalValue: only as --name=value
enum class Support { kYes, kNever };
enum class Effect { kHere, kThere, kNone };  // kThere: on a peer that is iperf3, and not on us

// A plan while it is being read. What was given matters to validate() and is forgotten then.
struct Draft {
    Plan plan;
    std::optional<Role> role;
    std::string client_option, server_option;  // the last one given of either side, by long name
    bool duration_given = false;
};

// One row of the table: one meaning. Parsing, help, manual and completion come from the same rows.
struct Option {
    std::string_view name;        // without its dashes
    std::string_view alias;       // an older long name, not shown in the help
    std::string_view value_name;  // for the help: "#[KMG]"
    std::string_view help;        // '\n' where a line of the help ends; kNever: why it is refused
    // Stores `value` in the draft. The error gives the reason only; parse() adds option and value.
    Status (*apply)(Draft& draft, std::string_view value) = nullptr;
    Side side = Side::kBoth;
    Takes takes = Takes::kNothing;
    Support support = Support::kYes;
    char flag = 0;  // 0: long name only
    Effect effect = Effect::kHere;
    bool ours = false;  // not iperf3's, though of one of its sides
};

constexpr bool is_ours(const Option& option)
{
    return option.ours || option.side == Side::kPort || option.side == Side::kAutomation;
}

inline std::string dashed(std::string_view name)
{
    return "--" + std::string{name};
}

inline Error usage(std::string message)
{
    return Error{Errc::kUsage, std::move(message)};
}

// All options of iperf3, those that we refuse included, in the order of the help.
std::span<const Option> option_table();

// Rules between options, and defaults that depend on several. Every rule cites iperf3's words.
Status validate(Draft& draft);

}  // namespace dpdkperf::options
