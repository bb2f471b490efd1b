#pragma once

#include <cstdint>
#include <string>

struct rte_mempool;

namespace dpdkperf::ports {

// Says on DPDK's log, as an error, that more than `kept` mbufs of a pool are not back although the
// device that used them is closed: they are lost, by a fault of ours or of the driver's. `port`
// names the device.
void tell_of_lost_mbufs(
    const std::string& port, rte_mempool& pool, std::uint32_t kept = 0) noexcept;

}  // namespace dpdkperf::ports
