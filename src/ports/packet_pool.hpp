#pragma once

#include "dpdkperf/ports/port_plan.hpp"

#include <string>

struct rte_mempool;

namespace dpdkperf::ports {

// A pool of as many and as large packet buffers as the plan says; rte_mempool_free() frees it.
// `name`: unique in the process. Set-up thread. Null: no memory, rte_errno says why.
rte_mempool* create_packet_pool(const std::string& name, const PortPlan& plan);

}  // namespace dpdkperf::ports
