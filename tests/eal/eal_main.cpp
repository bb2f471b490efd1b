#include "eal_environment.hpp"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

namespace dpdkperf {

namespace {

std::string last_cpu()
{
    return std::to_string(std::thread::hardware_concurrency() - 1);
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): EAL is one per process
std::optional<ports::Eal> g_eal;

}  // namespace

const ports::Eal& test_eal()
{
    return *g_eal;
}

std::uint16_t make_vdev(const char* name, const char* arguments)
{
    std::uint16_t port = RTE_MAX_ETHPORTS;
    g_eal->run([&] {
        rte_eal_hotplug_add("vdev", name, arguments);
        rte_eth_dev_get_port_by_name(name, &port);
    });
    return port;
}

bool eventually(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
    return true;
}

}  // namespace dpdkperf

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (testing::GTEST_FLAG(list_tests)) {
        return RUN_ALL_TESTS();
    }
    // Two pollers beside the main lcore. They float over all CPUs, of which there may be one.
    auto eal = dpdkperf::ports::Eal::start(dpdkperf::ports::eal_arguments(
        {"--lcores=0@(0-" + dpdkperf::last_cpu() + "),1@(0-" + dpdkperf::last_cpu() + "),2@(0-" +
            dpdkperf::last_cpu() + ")"},
        {.cpu = 0, .memory_mb = 256, .hugepages = false, .file_prefix = "test-eal"}));
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().message.c_str());
        return 1;
    }
    dpdkperf::g_eal.emplace(*std::move(eal));
    const int failed = RUN_ALL_TESTS();
    dpdkperf::g_eal.reset();
    return failed;
}
