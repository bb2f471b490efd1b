#include "dpdkperf/ports/eal.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace dpdkperf::ports {

std::vector<std::string> eal_arguments(const EalDefaults& defaults)
{
    std::vector<std::string> arguments{"dpdkperf", "-l", std::to_string(defaults.cpu), "-m",
        std::to_string(defaults.memory_mb), "--no-pci", "--no-telemetry", "--iova-mode=va",
        "--file-prefix=" + defaults.file_prefix, "--log-level=error"};
    if (defaults.hugepages) {
        arguments.emplace_back("--in-memory");
    } else {
        arguments.emplace_back("--no-huge");
        arguments.emplace_back("--no-shconf");
    }
    return arguments;
}

namespace {

// Whether one of `options` is among the arguments, alone or with "=value" or a value glued to it.
bool given(
    const std::vector<std::string>& arguments, std::initializer_list<std::string_view> options)
{
    return std::ranges::any_of(arguments, [&](const std::string& a) {
        return std::ranges::any_of(options, [&](std::string_view o) { return a.starts_with(o); });
    });
}

// With one of these the PCI bus is looked at.
bool names_pci_devices(const std::vector<std::string>& arguments)
{
    return given(arguments, {"-a", "--allow", "-b", "--block"});
}

// Whether an argument is, or holds, a device of one of `drivers`.
bool names_driver(
    const std::vector<std::string>& arguments, std::initializer_list<std::string_view> drivers)
{
    return std::ranges::any_of(arguments, [&](const std::string& a) {
        return std::ranges::any_of(
            drivers, [&](std::string_view d) { return a.find(d) != a.npos; });
    });
}

}  // namespace

std::vector<std::string> eal_arguments(
    const std::vector<std::string>& user, const EalDefaults& defaults)
{
    std::vector<std::string> arguments{"dpdkperf"};
    arguments.insert(arguments.end(), user.begin(), user.end());
    const auto unless = [&](std::initializer_list<std::string_view> options, std::string argument) {
        if (!given(user, options)) {
            arguments.push_back(std::move(argument));
        }
    };
    // Who names a hugetlbfs or a secondary process wants files; else none are made.
    if (!given(user, {"--in-memory", "--no-huge", "--huge-dir", "--proc-type"})) {
        arguments.emplace_back(defaults.hugepages ? "--in-memory" : "--no-huge");
        if (!defaults.hugepages) {
            arguments.emplace_back("--no-shconf");
            unless({"-m", "--socket-mem"}, "-m" + std::to_string(defaults.memory_mb));
        }
    }
    if (!names_lcores(user)) {
        arguments.push_back("-l" + std::to_string(defaults.cpu));
    }
    // A device without an IOMMU wants physical addresses: EAL finds out. All else can do with
    // virtual ones.
    if (!names_pci_devices(user)) {
        unless({"--iova-mode"}, "--iova-mode=va");
    }
    // Peers of these map our memory, file by file, and take few files.
    if (names_driver(user, {"net_memif", "net_vhost", "net_virtio_user"})) {
        unless({"--single-file-segments"}, "--single-file-segments");
    }
    unless({"--telemetry", "--no-telemetry"}, "--no-telemetry");
    unless({"--file-prefix"}, "--file-prefix=" + defaults.file_prefix);
    unless({"--log-level"}, "--log-level=error");
    if (!names_pci_devices(user)) {
        unless({"--no-pci"}, "--no-pci");
    }
    return arguments;
}

bool names_lcores(const std::vector<std::string>& user)
{
    return given(user, {"-l", "-c", "--lcores"});
}

bool names_a_device(const std::vector<std::string>& user)
{
    return given(user, {"--vdev"}) || names_pci_devices(user);
}

}  // namespace dpdkperf::ports
