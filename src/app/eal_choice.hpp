#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/ports/eal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace dpdkperf::app {

// What EAL leaves in the file system when `runner` starts it with these arguments is the keeper's
// to remove. Errors: somebody serves a socket that a device is going to serve (kBusy).
Status claim_eal_files(const std::vector<std::string>& user, uid_t runner, host::Keeper& keeper);

// Starts DPDK with the user's arguments, or without any with one poller near `numa_node` and 2 MB
// pages if enough are free. All other threads of the process leave the pollers' CPUs.
Result<ports::Eal> start_eal(const std::vector<std::string>& user, std::optional<int> numa_node);

}  // namespace dpdkperf::app
