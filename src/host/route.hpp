#pragma once

#include "dpdkperf/base/address.hpp"

#include <cstdint>
#include <optional>

#include <linux/netlink.h>

namespace dpdkperf::host {

// What RTM_NEWROUTE says in answer to RTM_GETROUTE for one destination.
struct RouteAnswer {
    std::uint8_t type = 0;  // RTN_*
    std::uint32_t interface_index = 0;
    std::optional<IpAddress> source;
    std::optional<IpAddress> gateway;  // may be IPv6 on the way to an IPv4 destination (RFC 8950)
};

std::optional<RouteAnswer> parse_route(const nlmsghdr& message);

}  // namespace dpdkperf::host
