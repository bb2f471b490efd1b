#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/host/netlink.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/ports/eal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sys/types.h>

namespace dpdkperf::app {

// What EAL leaves in the file system when `runner` starts it with these arguments is the keeper's
// to remove. Errors: somebody serves a socket that a device is going to serve (kBusy).
Status claim_eal_files(const std::vector<std::string>& user, uid_t runner, host::Keeper& keeper);

// What a port is going to want of EAL.
struct EalNeeds {
    std::optional<int> numa_node;  // that it is near to
    std::uint32_t af_xdp_queues = 0;
};

// Of an AF_XDP port on this interface.
EalNeeds needs_of(const host::Interface& interface);

// Starts DPDK with the plan's arguments for it, or without any with one poller, on the CPU of -A or
// else near the port, and huge pages if enough are free. All other threads of the process leave the
// pollers' CPUs.
Result<ports::Eal> start_eal(const options::Plan& plan, const EalNeeds& needs);

}  // namespace dpdkperf::app
