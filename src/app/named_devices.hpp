#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/drivers/owned.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/ports/eal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::app {

// Whether DPDK can have the PCI devices that its arguments name with -a or --allow; it passes over
// others without a word. Errors: what is wrong with the first, and the command that helps.
Status check_named_devices(const std::vector<std::string>& eal_arguments);

// The NUMA node that the first PCI device which they name is near to, if there is one and it tells.
std::optional<int> node_of_devices(const std::vector<std::string>& eal_arguments);

// What to say when EAL has come up without a port.
Error no_port_of(const std::vector<std::string>& eal_arguments);

// What a plan wants of the port: a queue pair for every poller of `eal`, and TCP unless only UDP is
// asked for.
drivers::OwnedPort::Request port_request(const options::Plan& plan, const ports::Eal& eal);

// Completes a plan without addresses by what scripts/bind saved when it took the card. Errors: a
// state file that can't be read or is of another card.
Status recall_state(options::Plan& plan);

}  // namespace dpdkperf::app
