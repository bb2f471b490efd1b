#pragma once

#include "dpdkperf/host/netlink.hpp"

#include <optional>

#include <linux/netlink.h>

namespace dpdkperf::host {

// RTM_NEWNEIGH or RTM_DELNEIGH of the ARP or ND table; empty for other messages, also for the
// forwarding entries of bridges and VXLANs, which come as RTM_NEWNEIGH too.
std::optional<NeighbourChange> parse_neighbour(const nlmsghdr& message);

}  // namespace dpdkperf::host
