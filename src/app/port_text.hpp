#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/drivers/owned.hpp"
#include "dpdkperf/host/netlink.hpp"
#include "dpdkperf/ports/eal.hpp"

#include <string>
#include <vector>

namespace dpdkperf::app {

// A port and who polls it, as --dry-run prints it and --save keeps it.
std::string text_of(const drivers::OwnedPort::Planned& planned,
    const std::vector<IpPrefix>& addresses, const ports::Eal& eal);

// The same of an interface that AF_XDP uses; main thread or the paths' own. Errors: as
// drivers::AfXdpPort::plan().
Result<std::string> text_of(const host::Interface& interface, const ports::Eal& eal);

}  // namespace dpdkperf::app
