#include "named_devices.hpp"

#include "dpdkperf/host/pci_device.hpp"
#include "dpdkperf/options/port_state.hpp"

#include <string_view>

namespace dpdkperf::app {

namespace {

// The PCI addresses behind -a and --allow.
std::vector<std::string> allowed_devices(const std::vector<std::string>& arguments)
{
    std::vector<std::string> devices;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view a = arguments[i];
        if ((a == "-a" || a == "--allow") && i + 1 < arguments.size()) {
            devices.push_back(arguments[++i]);
        } else if (a.starts_with("--allow=")) {
            devices.emplace_back(a.substr(a.find('=') + 1));
        } else if (a.starts_with("-a")) {
            devices.emplace_back(a.substr(2));
        }
    }
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
