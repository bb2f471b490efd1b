#include "named_devices.hpp"

#include "dpdkperf/host/pci_device.hpp"
#include "dpdkperf/options/port_state.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace dpdkperf::app {

namespace {

// The values of an option in all of its forms: "--vdev x", "--vdev=x", "-a x", "-ax".
std::vector<std::string> values_of(
    const std::vector<std::string>& arguments, std::string_view option)
{
    std::vector<std::string> values;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view a = arguments[i];
        if (a == option && i + 1 < arguments.size()) {
            values.push_back(arguments[++i]);
        } else if (a.starts_with(option) && a.size() > option.size()) {
            const bool glued = !option.starts_with("--");
            if (glued || a[option.size()] == '=') {
                values.emplace_back(a.substr(option.size() + (glued ? 0 : 1)));
            }
        }
    }
    return values;
}

// The PCI addresses that may be ports.
std::vector<std::string> allowed_devices(const std::vector<std::string>& arguments)
{
    auto devices = values_of(arguments, "-a");
    std::ranges::move(values_of(arguments, "--allow"), std::back_inserter(devices));
    return devices;
}

}  // namespace

Status check_named_devices(const std::vector<std::string>& arguments)
{
    for (const std::string& address : allowed_devices(arguments)) {
        const auto device = host::pci_device(address);
        if (!device) {
            return device.error();
        }
        if (Status status = host::check_for_dpdk(*device); !status) {
            return status;
        }
    }
    return {};
}

std::optional<int> node_of_devices(const std::vector<std::string>& arguments)
{
    const auto devices = allowed_devices(arguments);
    const auto first = devices.empty() ? std::nullopt : std::optional{host::pci_device(devices[0])};
    return first && *first ? (*first)->numa_node : std::nullopt;
}

Error no_port_of(const std::vector<std::string>& arguments)
{
    auto devices = values_of(arguments, "--vdev");
    std::ranges::move(allowed_devices(arguments), std::back_inserter(devices));
    std::string names;
    for (const std::string& device : devices) {
        names += (names.empty() ? "'" : ", '") + device + "'";
    }
    return {Errc::kNotFound,
        "DPDK has made no port of " + names +
            "; what its driver said stands above, '--log-level=8' before '--' " + "shows more"};
}

drivers::OwnedPort::Request port_request(const options::Plan& plan, const ports::Eal& eal)
{
    const bool only_udp =
        plan.role == options::Role::kClient && plan.protocol == options::Protocol::kUdp;
    return {.queue_pairs = static_cast<std::uint16_t>(eal.poller_lcores().size()),
        .mtu_bytes = plan.mtu_bytes,
        .sends_tcp = !only_udp,
        .rx_checksum = !plan.verify_all_checksums};
}

Status recall_state(options::Plan& plan)
{
    const auto named = allowed_devices(plan.eal_arguments);
    if (!plan.addresses.empty() || named.size() != 1) {
        return {};
    }
    const auto device = host::pci_device(named.front());
    if (!device) {
        return device.error();
    }
    const auto state = options::read_port_state(device->address);
    if (!state) {
        return state.error();
    }
    if (!*state) {
        return {};
    }
    if ((*state)->model != device->model) {
        return Error{Errc::kUsage, "PCI device " + device->address + " is a " + device->model +
                                       ", its state file is of a " + (*state)->model +
                                       "; remove the file if that card is gone, or use --ip"};
    }
    options::complete(plan, **state);
    return {};
}

}  // namespace dpdkperf::app
