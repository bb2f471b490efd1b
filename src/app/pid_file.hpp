#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/keeper.hpp"

#include <string>

namespace dpdkperf::app {

// Writes a file that says which process this is. The keeper removes it, who may still do so when we
// are somebody else. Errors: it cannot be written, or names another process that is running.
Status write_pid_file(const std::string& path, host::Keeper& keeper);

}  // namespace dpdkperf::app
