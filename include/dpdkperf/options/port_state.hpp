#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dpdkperf::options {

// What the kernel's interface was like before scripts/bind took its card (docs/binding.md).
struct PortState {
    std::string model;  // vendor:device of the card, "8086:10d3"
    std::vector<IpPrefix> addresses;
    std::vector<IpAddress> gateways;  // of default routes, at most one of either family
    std::uint32_t mtu_bytes = 0;
};

// Reads the text of a state file. Keys that are not known are ignored. Pure. Errors: kInput, with
// what is wrong; also for a card that is just being taken or given back.
Result<PortState> parse_port_state(std::string_view text);

// The state of the card at `pci_address` ("0000:5e:00.0"); none if it has no file. The folder is
// DPDKPERF_STATE, or /var/lib/dpdkperf. Errors: those of parse_port_state(), with the file's name.
Result<std::optional<PortState>> read_port_state(const std::string& pci_address);

// Fills in what the user did not say: addresses, MTU, gateways.
void complete(Plan& plan, const PortState& state);

}  // namespace dpdkperf::options
