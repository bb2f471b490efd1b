#pragma once

#include "dpdkperf/base/result.hpp"

#include <string>

namespace dpdkperf::host {

// An Error from errno, or from a code like it: "<what>: <the system's words>".
Error system_error(const std::string& what, int error_number);

}  // namespace dpdkperf::host
