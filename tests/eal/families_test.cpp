#include "dpdkperf/drivers/families.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>
#include <rte_config.h>

namespace dpdkperf::drivers {
namespace {

// Whether a driver library that EAL would load holds `name` as a string of its own.
bool installed(const std::vector<std::string>& libraries, std::string_view name)
{
    const std::string whole = '\0' + std::string{name} + '\0';
    return std::ranges::any_of(libraries,
        [&](const std::string& bytes) { return bytes.find(whole) != std::string::npos; });
}

std::vector<std::string> driver_libraries()
{
    std::vector<std::string> libraries;
    for (const auto& entry : std::filesystem::directory_iterator{RTE_EAL_PMD_PATH}) {
        const std::string name = entry.path().filename();
        if (name.starts_with("librte_net_") && name.ends_with(".so")) {
            std::ifstream file{entry.path(), std::ios::binary};
            libraries.emplace_back(
                std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
        }
    }
    return libraries;
}

TEST(Families, NameDriversThatAreInstalled)
{
    const auto libraries = driver_libraries();
    ASSERT_FALSE(libraries.empty()) << RTE_EAL_PMD_PATH;
    for (const ports::PortFamily& row : families()) {
        EXPECT_TRUE(installed(libraries, row.driver)) << row.driver;
    }
    EXPECT_FALSE(installed(libraries, "net_mlx5"));  // a name that DPDK 22.11 does not use
}

TEST(Families, HaveOneRowADriverAndAReasonWithASource)
{
    std::set<std::string_view> drivers;
    for (const ports::PortFamily& row : families()) {
        EXPECT_TRUE(drivers.insert(row.driver).second) << row.driver;
        EXPECT_NE(row.why.find('('), std::string_view::npos) << row.driver;
        EXPECT_FALSE(row.why.ends_with('\n')) << row.driver;
        EXPECT_EQ(row.room_step_bytes % 64, 0) << "mbufs stay on cache lines, " << row.driver;
    }
}

}  // namespace
}  // namespace dpdkperf::drivers
