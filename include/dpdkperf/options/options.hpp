#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

#include <span>
#include <string>
#include <string_view>

namespace dpdkperf::options {

// Reads a command line, without the program's name, into a validated plan. What stands before
// the first "--" goes to EAL untouched; without a "--" everything is ours. With -h or -v the
// plan's role says so and what follows is not looked at.
// Errors (kUsage) name the option and the value: "--time 'ten': not a number".
Result<Plan> parse(std::span<const std::string_view> arguments);

// "dpdkperf 0.1.0"
std::string version();

// The running system as iperf3 writes it: `uname -s -n -r -v -m`.
std::string system_info();

// What -v and -h print, each with a final newline.
std::string version_text();
std::string help_text();

}  // namespace dpdkperf::options
