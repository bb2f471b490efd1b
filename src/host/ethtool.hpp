#pragma once

#include "dpdkperf/host/netlink.hpp"

namespace dpdkperf::host {

// Puts a command of linux/ethtool.h to an interface, which answers in place. 0, or the errno.
int ethtool(const Interface& interface, void* command);

}  // namespace dpdkperf::host
