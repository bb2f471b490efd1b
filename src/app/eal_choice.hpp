#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/ports/eal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::app {

// Starts DPDK with the user's arguments, or without any with one poller near `numa_node` and 2 MB
// pages if enough are free. All other threads of the process leave the pollers' CPUs.
Result<ports::Eal> start_eal(
    const std::vector<std::string>& user, std::optional<int> numa_node, host::Keeper& keeper);

}  // namespace dpdkperf::app
