#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

namespace dpdkperf::app {

// What the options ask for and this machine, or the port that is to be used, does not have. Errors:
// kUsage, which name the option and the value.
Status check_machine(const options::Plan& plan);

// Whether files can be put where --save wants them, by who calls: the user that is going to write,
// without the privileges that have been given up.
Status check_save_folder(const options::Plan& plan);

}  // namespace dpdkperf::app
