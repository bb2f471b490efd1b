#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/options/plan.hpp"

#include <string>

namespace dpdkperf::app {

// What DPDK would be told about the port of a test, and who would poll it, as text. The port is
// looked at and left as it is. Errors: those that a test would begin with.
Result<std::string> describe_port(const options::Plan& plan, host::Keeper& keeper);

}  // namespace dpdkperf::app
