#pragma once

#include "dpdkperf/host/netlink.hpp"

#include <optional>

#include <linux/netlink.h>

namespace dpdkperf::host {

// RTM_NEWLINK as an Interface; empty for other messages, also those of a bridge about its ports.
std::optional<Interface> parse_link(const nlmsghdr& message);

// Up, with a carrier, and not kept dormant (IEEE 802.1X). `flags`: ifinfomsg::ifi_flags.
// Not IFF_RUNNING, which follows the carrier up to a second late (Linux, net/core/link_watch.c).
bool is_running(unsigned flags);

}  // namespace dpdkperf::host
