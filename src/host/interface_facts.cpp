#include "dpdkperf/host/interface_facts.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>

namespace dpdkperf::host {

namespace {

std::optional<std::int64_t> number_in(const std::filesystem::path& file)
{
    std::ifstream in{file};
    std::int64_t number = 0;
    return in >> number ? std::optional{number} : std::nullopt;
}

// These have no link and say 10 Gb/s and 10 Mb/s (drivers/net/veth.c and tun.c, Linux 6.1).
bool makes_speed_up(const std::string& kind)
{
    return kind == "veth" || kind == "tun";
}

}  // namespace

InterfaceFacts interface_facts(const Interface& interface, const std::string& sysfs)
{
    InterfaceFacts facts;
    facts.driver = interface.kind;
    const auto folder = std::filesystem::path{sysfs} / interface.name;
    if (number_in(folder / "ifindex") != interface.index) {
        return facts;
    }
    // -1: the device is near no node in particular (Documentation/ABI/testing/sysfs-bus-pci).
    if (const auto node = number_in(folder / "device/numa_node"); node && *node >= 0) {
        facts.numa_node = static_cast<int>(*node);
    }
    // Mb/s; -1, or an error on reading, if unknown or down (ABI/testing/sysfs-class-net).
    if (const auto speed = number_in(folder / "speed");
        speed && *speed > 0 && !makes_speed_up(interface.kind)) {
        facts.link_speed = BitRate::from_bps(static_cast<std::uint64_t>(*speed) * 1'000'000);
    }
    std::error_code error;
    const auto driver = std::filesystem::read_symlink(folder / "device/driver", error);
    if (!error) {
        facts.driver = driver.filename();
    }
    return facts;
}

}  // namespace dpdkperf::host
