#include "eal_choice.hpp"

#include "device_sockets.hpp"
#include "dpdkperf/host/cpus.hpp"
#include "dpdkperf/host/interface_facts.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include <unistd.h>

namespace dpdkperf::app {

namespace {

// Pools and rings of a few queues. With huge pages EAL takes more when needed; without, this is
// all there is, and only what is used becomes resident.
constexpr std::size_t kHugeMemoryMb = 64;
constexpr std::size_t kPlainMemoryMb = 256;
// 8,191 buffers of a page, their pool's caches for 128 lcores, and what EAL loses between them.
constexpr std::size_t kAfXdpQueueMb = 40;

// Of all sizes: "hugepages-2048kB", "hugepages-1048576kB".
std::size_t free_hugepage_mb()
{
    constexpr std::string_view kBegin = "hugepages-";
    std::size_t kilobytes = 0;
    std::error_code failed;
    for (const auto& size :
        std::filesystem::directory_iterator{"/sys/kernel/mm/hugepages", failed}) {
        const std::string name = size.path().filename();
        std::size_t pages = 0;
        std::ifstream{size.path() / "free_hugepages"} >> pages;
        if (name.starts_with(kBegin)) {
            kilobytes += pages * std::strtoull(name.c_str() + kBegin.size(), nullptr, 10);
        }
    }
    return kilobytes / 1024;
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

EalNeeds needs_of(const host::Interface& interface)
{
    const auto queues = host::active_rx_queues(interface);
    return {.numa_node = host::interface_facts(interface).numa_node,
        .af_xdp_queues = queues ? *queues : 1};
}

Result<ports::Eal> start_eal(const options::Plan& plan, const EalNeeds& needs)
{
    const std::vector<std::string>& user = plan.eal_arguments;
    const auto allowed = host::allowed_cpus();
    const auto others = host::threads();
    const std::size_t queues_mb = needs.af_xdp_queues * kAfXdpQueueMb;
    const bool huge = free_hugepage_mb() >= std::max(kHugeMemoryMb, queues_mb);
    const ports::EalDefaults defaults{
        .cpu = plan.cpu.value_or(host::choose_poller_cpu(allowed, needs.numa_node)),
        .memory_mb = huge ? kHugeMemoryMb : std::max(kPlainMemoryMb, queues_mb),
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
