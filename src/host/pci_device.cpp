#include "dpdkperf/host/pci_device.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

namespace dpdkperf::host {

namespace {

namespace fs = std::filesystem;

// The last component of what a link in sysfs points to; empty without such a link.
std::string target_of(const fs::path& link)
{
    std::error_code failed;
    const fs::path target = fs::read_symlink(link, failed);
    return failed ? std::string{} : target.filename().string();
}

std::string first_entry(const fs::path& folder)
{
    std::error_code failed;
    const fs::directory_iterator entries{folder, failed};
    return failed || entries == fs::directory_iterator{} ? std::string{}
                                                         : entries->path().filename().string();
}

// The digits of "0x8086".
std::string hex_in(const fs::path& file)
{
    std::string number;
    std::ifstream{file} >> number;
    return number.starts_with("0x") ? number.substr(2) : number;
}

// Whether `text` has the digits and separators of `form`, in which x stands for a hexadecimal
// digit.
bool has_form(std::string_view text, std::string_view form)
{
    return std::ranges::equal(text, form, [](char c, char f) {
        return f == 'x' ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c == f;
    });
}

// "5E:00.0" or "0000:5e:00.0" as sysfs writes it; none if it is neither.
std::optional<std::string> with_domain(std::string text)
{
    if (has_form(text, "xx:xx.x")) {
        text.insert(0, "0000:");
    }
    if (!has_form(text, "xxxx:xx:xx.x") || text.back() > '7') {
        return std::nullopt;
    }
    std::ranges::transform(
        text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

constexpr std::array<std::string_view, 3> kDpdkDrivers = {"vfio-pci", "uio_pci_generic", "igb_uio"};

// DPDK works beside these, and takes what their interfaces should get (nics/mlx5.rst, Design, DPDK
// 22.11) unless it is told not to, which we cannot yet (docs/bifurcated.md).
constexpr std::array<std::string_view, 2> kBifurcated = {"mlx4_core", "mlx5_core"};

}  // namespace

Result<PciDevice> pci_device(const std::string& address, const std::string& sysfs)
{
    const auto full = with_domain(address.substr(0, address.find(',')));
    if (!full) {
        return Error{Errc::kUsage, "'" + address + "' is not a PCI address (0000:5e:00.0)"};
    }
    const fs::path folder = fs::path{sysfs} / "bus/pci/devices" / *full;
    std::error_code ignored;
    if (!fs::exists(folder, ignored)) {
        return Error{Errc::kNotFound,
            "there is no PCI device " + *full + "; 'scripts/bind status' lists the NICs"};
    }
    PciDevice device;
    device.address = *full;
    device.driver = target_of(folder / "driver");
    device.interface = first_entry(folder / "net");
    device.model = hex_in(folder / "vendor") + ":" + hex_in(folder / "device");
    device.network = hex_in(folder / "class").starts_with("02");
    // -1: near no node in particular (Documentation/ABI/testing/sysfs-bus-pci).
    if (int node = -1; std::ifstream{folder / "numa_node"} >> node && node >= 0) {
        device.numa_node = node;
    }
    return device;
}

Status check_for_dpdk(const PciDevice& device)
{
    if (!device.network) {
        return Error{Errc::kUsage, "PCI device " + device.address + " is not a network device"};
    }
    if (std::ranges::find(kBifurcated, device.driver) != kBifurcated.end()) {
        const std::string interface =
            device.interface.empty() ? "its interface" : "interface " + device.interface;
        return Error{Errc::kUsage, "PCI device " + device.address + " stays with the kernel's " +
                                       device.driver + ", whose packets DPDK would take; name no " +
                                       "device, and " + interface + " is used by AF_XDP"};
    }
    if (std::ranges::find(kDpdkDrivers, device.driver) == kDpdkDrivers.end()) {
        const std::string owner =
            device.driver.empty() ? "has no driver" : "belongs to the kernel's " + device.driver;
        const std::string used =
            device.interface.empty() ? "" : " (interface " + device.interface + ")";
        return Error{Errc::kUsage, "PCI device " + device.address + " " + owner + used +
                                       "; run 'scripts/bind take " + device.address + "'"};
    }
    return {};
}

}  // namespace dpdkperf::host
