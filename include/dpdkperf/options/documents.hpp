#pragma once

#include "dpdkperf/base/result.hpp"

#include <string>
#include <string_view>

// What tells users about the options besides the help: made from the same table when dpdkperf is
// built, so that none of it can be out of date.
namespace dpdkperf::options {

// The manual page, in troff's man macros. `frame` is the page without its options; a line of it
// that begins with '@' stands for a part that is made here. Errors (kInput): an unknown part.
Result<std::string> manual_page(std::string_view frame);

// Completes the options of dpdkperf in bash(1), and values where there is a choice.
std::string bash_completion();

}  // namespace dpdkperf::options
