#include "dpdkperf/host/pci_device.hpp"
#include "temporary_directory.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace dpdkperf::host {
namespace {

namespace fs = std::filesystem;

// A part of sysfs with the devices of a test.
class FakeSysfs {
public:
    void add(const std::string& address, const std::string& pci_class, const std::string& driver,
        const std::string& interface)
    {
        const fs::path device = fs::path{root()} / "bus/pci/devices" / address;
        fs::create_directories(device);
        std::ofstream{device / "class"} << pci_class << '\n';
        std::ofstream{device / "vendor"} << "0x8086\n";
        std::ofstream{device / "device"} << "0x159b\n";
        std::ofstream{device / "numa_node"} << (address.starts_with("0000:5e") ? "1\n" : "-1\n");
        if (!driver.empty()) {
            fs::create_symlink("../../../bus/pci/drivers/" + driver, device / "driver");
        }
        if (!interface.empty()) {
            fs::create_directories(device / "net" / interface);
        }
    }
    [[nodiscard]] std::string root() const { return directory_.path(); }

private:
    TemporaryDirectory directory_;
};

TEST(PciDevice, IsFoundByEveryFormOfItsAddress)
{
    FakeSysfs sysfs;
    sysfs.add("0000:5e:00.0", "0x020000", "ice", "ens1");
    for (const char* form : {"0000:5e:00.0", "5e:00.0", "5E:00.0", "5e:00.0,proto_xtr=vlan"}) {
        const auto device = pci_device(form, sysfs.root());
        ASSERT_TRUE(device) << device.error().message;
        EXPECT_EQ(device->address, "0000:5e:00.0");
        EXPECT_EQ(device->driver, "ice");
        EXPECT_EQ(device->interface, "ens1");
        EXPECT_EQ(device->model, "8086:159b");
        EXPECT_TRUE(device->network);
        EXPECT_EQ(device->numa_node, 1);
    }
    sysfs.add("0000:00:03.0", "0x020000", "", "");
    EXPECT_EQ(pci_device("00:03.0", sysfs.root())->numa_node, std::nullopt);
}

TEST(PciDevice, ThatIsNoneIsRefusedByName)
{
    const FakeSysfs sysfs;
    struct Case {
        const char* address;
        const char* message;
    };
    const Case cases[] = {
        {"eth0", "'eth0' is not a PCI address (0000:5e:00.0)"},
        {"5e:00", "'5e:00' is not a PCI address (0000:5e:00.0)"},
        {"5e:00.9", "'5e:00.9' is not a PCI address (0000:5e:00.0)"},
        {"5e:00.1", "there is no PCI device 0000:5e:00.1; 'scripts/bind status' lists the NICs"},
    };
    for (const Case& c : cases) {
        const auto device = pci_device(c.address, sysfs.root());
        ASSERT_FALSE(device) << c.address;
        EXPECT_EQ(device.error().message, c.message);
    }
}

TEST(PciDevice, IsDpdksOnlyWhenItsDriverLetsGo)
{
    struct Case {
        const char* pci_class;
        const char* driver;
        const char* interface;
        const char* message;  // empty: it may
    };
    const Case cases[] = {
        {"0x020000", "vfio-pci", "", ""},
        {"0x020000", "uio_pci_generic", "", ""},
        {"0x020000", "mlx5_core", "ens1",
            "PCI device 0000:5e:00.0 stays with the kernel's mlx5_core, whose packets DPDK would "
            "take; name no device, and interface ens1 is used by AF_XDP"},
        {"0x020000", "ice", "ens1",
            "PCI device 0000:5e:00.0 belongs to the kernel's ice (interface ens1); run "
            "'scripts/bind take 0000:5e:00.0'"},
        {"0x020000", "", "",
            "PCI device 0000:5e:00.0 has no driver; run 'scripts/bind take 0000:5e:00.0'"},
        {"0x010802", "nvme", "", "PCI device 0000:5e:00.0 is not a network device"},
    };
    for (const Case& c : cases) {
        FakeSysfs sysfs;
        sysfs.add("0000:5e:00.0", c.pci_class, c.driver, c.interface);
        const auto device = pci_device("5e:00.0", sysfs.root());
        ASSERT_TRUE(device);
        const Status status = check_for_dpdk(*device);
        EXPECT_EQ(status ? "" : status.error().message, c.message) << c.driver;
    }
}

}  // namespace
}  // namespace dpdkperf::host
