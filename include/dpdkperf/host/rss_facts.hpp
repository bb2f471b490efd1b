#pragma once

#include "dpdkperf/host/netlink.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace dpdkperf::host {

// How an interface spreads received packets over its queues: by a Toeplitz hash with this key over
// addresses and, where it says so, ports.
struct RssFacts {
    std::vector<std::uint8_t> key;      // 40 bytes or more
    std::vector<std::uint16_t> queues;  // the redirection table, a receive queue for each entry
    // Whether the hash is over ports too, for the packets of each kind.
    bool tcp4_ports = false, udp4_ports = false, tcp6_ports = false, udp6_ports = false;
};

// An ethtool command (linux/ethtool.h) put to an interface; it begins with its number and is
// answered in place. False: the interface does not know it.
using EthtoolCall = std::function<bool(void* command)>;

// What ETHTOOL_GRSSH and ETHTOOL_GRXFH tell. None where they tell nothing, as for most virtual
// interfaces, and where the hash is not a plain Toeplitz one.
std::optional<RssFacts> rss_facts(const EthtoolCall& ethtool);

// The same of an interface. Any thread.
std::optional<RssFacts> rss_facts(const Interface& interface);

}  // namespace dpdkperf::host
