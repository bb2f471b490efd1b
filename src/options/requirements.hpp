#pragma once

#include "dpdkperf/stats/requirement.hpp"
#include "option.hpp"

#include <string_view>
#include <vector>

namespace dpdkperf::options {

// Adds the requirements of "NAME SIGN VALUE,..." (without blanks). Errors (kUsage) say which part
// is wrong, and the requirements are not to be used.
Status add_requirements(std::vector<stats::Requirement>& requirements, std::string_view text);

// Errors (kUsage): a test of the plan's protocol can never know the figure.
Status check_requirements(const Plan& plan);

}  // namespace dpdkperf::options
