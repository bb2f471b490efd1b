#include "dpdkperf/host/interface_facts.hpp"
#include "temporary_directory.hpp"

#include <fstream>

#include <gtest/gtest.h>

namespace dpdkperf::host {
namespace {

namespace fs = std::filesystem;

// /sys/class/net as it looks for a network card with index 3.
class InterfaceFactsTest : public testing::Test {
protected:
    InterfaceFactsTest()
    {
        fs::create_directories(folder() / "device");
        write("ifindex", "3");
        write("speed", "25000");
        write("device/numa_node", "1");
        fs::create_symlink("../../../../bus/pci/drivers/ice", folder() / "device/driver");
    }

    fs::path folder() { return sysfs_.path() / "eth0"; }
    void write(const char* file, const char* text)
    {
        std::ofstream{folder() / file} << text << '\n';
    }
    InterfaceFacts facts(std::uint32_t index, const std::string& kind = {})
    {
        Interface interface;
        interface.name = "eth0";
        interface.index = index;
        interface.kind = kind;
        return interface_facts(interface, sysfs_.path().string());
    }

private:
    TemporaryDirectory sysfs_;
};

TEST_F(InterfaceFactsTest, ReadsNodeSpeedAndDriver)
{
    const auto f = facts(3);
    EXPECT_EQ(f.numa_node, 1);
    EXPECT_EQ(f.link_speed, BitRate::from_gbps(25));
    EXPECT_EQ(f.driver, "ice");
}

TEST_F(InterfaceFactsTest, TakesMinusOneForUnknown)
{
    write("speed", "-1");
    write("device/numa_node", "-1");
    const auto f = facts(3);
    EXPECT_FALSE(f.numa_node);
    EXPECT_FALSE(f.link_speed);
}

TEST_F(InterfaceFactsTest, DoesNotBelieveASpeedThatIsMadeUp)
{
    EXPECT_FALSE(facts(3, "veth").link_speed);
    EXPECT_FALSE(facts(3, "tun").link_speed);
    EXPECT_EQ(facts(3, "bond").link_speed, BitRate::from_gbps(25));
}

TEST_F(InterfaceFactsTest, NamesTheKindWhereThereIsNoDevice)
{
    fs::remove_all(folder() / "device");
    EXPECT_EQ(facts(3, "veth").driver, "veth");
    EXPECT_FALSE(facts(3, "veth").numa_node);
}

TEST_F(InterfaceFactsTest, IgnoresAnotherNamespacesInterfaceOfThatName)
{
    const auto f = facts(4, "veth");
    EXPECT_EQ(f.driver, "veth");
    EXPECT_FALSE(f.link_speed);
}

}  // namespace
}  // namespace dpdkperf::host
