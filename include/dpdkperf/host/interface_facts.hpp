#pragma once

#include "dpdkperf/base/units.hpp"
#include "dpdkperf/host/netlink.hpp"

#include <optional>
#include <string>

namespace dpdkperf::host {

// What helps to place pollers and to judge a result. Empty: the kernel does not say, as for
// virtual interfaces.
struct InterfaceFacts {
    std::optional<int> numa_node;
    std::optional<BitRate> link_speed;
    std::string driver;  // "ice", "virtio_net"; else Interface::kind; else empty
};

// From sysfs. It may be mounted in another network namespace than ours, where an interface of
// this name can be another one: what does not have our interface's index is left out.
InterfaceFacts interface_facts(
    const Interface& interface, const std::string& sysfs = "/sys/class/net");

}  // namespace dpdkperf::host
