#include "eal_choice.hpp"

#include "cpus.hpp"
#include "device_sockets.hpp"

#include <fstream>

#include <unistd.h>

namespace dpdkperf::app {

namespace {

// Pools and rings of a few queues. With 2 MB pages EAL takes more when needed; without, this is
// all there is, and only what is used becomes resident.
constexpr std::size_t kHugeMemoryMb = 64;
constexpr std::size_t kPlainMemoryMb = 256;

std::size_t free_hugepage_mb()
{
    std::ifstream file{"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"};
    std::size_t pages = 0;
    file >> pages;
    return pages * 2;
}

}  // namespace

Result<ports::Eal> start_eal(
    const std::vector<std::string>& user, std::optional<int> numa_node, host::Keeper& keeper)
{
    const std::string prefix = "dpdkperf-" + std::to_string(getpid());
    // EAL keeps its run-time files here and leaves the directory even when it ends in order.
    if (auto token = keeper.undo(host::RemoveDirectory{"/var/run/dpdk/" + prefix}); !token) {
        return std::move(token).error();
    }
    if (Status status = claim_device_sockets(user, keeper); !status) {
        return std::move(status).error();
    }
    const auto allowed = allowed_cpus();
    const auto others = threads();
    const bool huge = free_hugepage_mb() >= kHugeMemoryMb;
    const ports::EalDefaults defaults{.cpu = choose_poller_cpu(allowed, numa_node),
        .memory_mb = huge ? kHugeMemoryMb : kPlainMemoryMb,
        .hugepages = huge,
        .file_prefix = prefix};
    auto eal = ports::Eal::start(
        user.empty() ? ports::eal_arguments(defaults) : ports::eal_arguments(user, defaults));
    if (eal) {
        keep_off(others, allowed, eal->poller_cpus());
    }
    return eal;
}

}  // namespace dpdkperf::app
