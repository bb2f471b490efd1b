#include "eal_choice.hpp"

#include "device_sockets.hpp"
#include "dpdkperf/host/cpus.hpp"

#include <cstdlib>
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

std::string file_prefix()
{
    return "dpdkperf-" + std::to_string(getpid());
}

// Where EAL makes its folder (eal_filesystem.c, DPDK 22.11).
std::string run_time_folder(uid_t runner)
{
    // NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment
    const char* const given = std::getenv("RUNTIME_DIRECTORY");
    const char* const session = std::getenv("XDG_RUNTIME_DIR");
    // NOLINTEND(concurrency-mt-unsafe)
    if (given != nullptr) {
        return given;
    }
    if (runner == 0) {
        return "/var/run";
    }
    return session != nullptr ? session : "/tmp";
}

}  // namespace

Status claim_eal_files(const std::vector<std::string>& user, uid_t runner, host::Keeper& keeper)
{
    // EAL leaves it even when it ends in order.
    const std::string folder = run_time_folder(runner) + "/dpdk/" + file_prefix();
    if (auto token = keeper.undo(host::RemoveDirectory{folder}); !token) {
        return std::move(token).error();
    }
    return claim_device_sockets(user, keeper);
}

Result<ports::Eal> start_eal(const options::Plan& plan, std::optional<int> numa_node)
{
    const std::vector<std::string>& user = plan.eal_arguments;
    const auto allowed = host::allowed_cpus();
    const auto others = host::threads();
    const bool huge = free_hugepage_mb() >= kHugeMemoryMb;
    const ports::EalDefaults defaults{
        .cpu = plan.cpu.value_or(host::choose_poller_cpu(allowed, numa_node)),
        .memory_mb = huge ? kHugeMemoryMb : kPlainMemoryMb,
        .hugepages = huge,
        .file_prefix = file_prefix()};
    auto eal = ports::Eal::start(
        user.empty() ? ports::eal_arguments(defaults) : ports::eal_arguments(user, defaults));
    if (eal) {
        host::keep_off(others, allowed, eal->poller_cpus());
    }
    return eal;
}

}  // namespace dpdkperf::app
