#pragma once

#include "dpdkperf/base/result.hpp"

#include <optional>
#include <string>

namespace dpdkperf::host {

// What sysfs tells of a PCI device.
struct PciDevice {
    std::string address;    // with its domain: "0000:5e:00.0"
    std::string driver;     // of the kernel, "vfio-pci" or "mlx5_core"; empty: none
    std::string interface;  // that this driver makes of it; empty: none
    std::string model;      // vendor:device, "8086:10d3"
    bool network = false;   // its class is that of a network controller
    std::optional<int> numa_node = std::nullopt;  // that it is near to
};

// `address` with or without its domain, as DPDK's -a takes it; what follows a comma is ignored.
// Errors: kUsage if it is no PCI address, kNotFound if there is no such device.
Result<PciDevice> pci_device(const std::string& address, const std::string& sysfs = "/sys");

// Whether DPDK can have the device as it is: its driver lends it to user space. Errors: kUsage,
// with the command that helps; also for those that share it (mlx4, mlx5), whose interface would
// lose its packets.
Status check_for_dpdk(const PciDevice& device);

}  // namespace dpdkperf::host
