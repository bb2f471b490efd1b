#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/host/netlink.hpp"

#include <chrono>

namespace dpdkperf::app {

// A NIC that takes an XDP program, or has just been started, may negotiate its link anew.
inline constexpr std::chrono::seconds kLinkPatience{8};

// The kernel's route to request.remote, over an interface that is up. Errors: kUsage for an
// address of this machine; kDevice for an interface that is down; those of host::route_to().
Result<host::Route> find_route(const control::PathRequest& request);

// Blocks until the interface has a carrier. Errors: kDevice after `patience`.
Status wait_for_link(const host::Interface& interface, std::chrono::seconds patience);

}  // namespace dpdkperf::app
