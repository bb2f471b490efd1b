#include "dpdkperf/host/cpus.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>

#include <sched.h>

namespace dpdkperf::host {

std::vector<unsigned> allowed_cpus()
{
    cpu_set_t set{};
    std::vector<unsigned> cpus;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus.empty() ? std::vector<unsigned>{0} : cpus;
}

namespace {

bool on_node(unsigned cpu, int node)
{
    std::error_code ignored;
    return std::filesystem::exists(
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/node" + std::to_string(node),
        ignored);
}

}  // namespace

unsigned choose_poller_cpu(const std::vector<unsigned>& allowed, std::optional<int> numa_node)
{
    if (numa_node) {
        const auto near = std::find_if(allowed.rbegin(), allowed.rend(),
            [&](unsigned cpu) { return on_node(cpu, *numa_node); });
        if (near != allowed.rend()) {
            return *near;
        }
    }
    return allowed.back();
}

bool can_run_on(unsigned cpu)
{
    cpu_set_t before{}, one{};
    if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof before, &before) != 0) {
        return false;
    }
    CPU_SET(cpu, &one);
    const bool possible = sched_setaffinity(0, sizeof one, &one) == 0;
    sched_setaffinity(0, sizeof before, &before);
    return possible;
}

std::vector<int> threads()
{
    std::vector<int> ids;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task", ignored}) {
        const std::string name = entry.path().filename();
        int id = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), id).ec == std::errc{}) {
            ids.push_back(id);
        }
    }
    return ids;
}

void keep_off(const std::vector<int>& threads, const std::vector<unsigned>& allowed,
    const std::vector<unsigned>& pollers)
{
    cpu_set_t set{};
    for (const unsigned cpu : allowed) {
        if (std::ranges::find(pollers, cpu) == pollers.end()) {
            CPU_SET(cpu, &set);
        }
    }
    if (CPU_COUNT(&set) == 0) {
        return;
    }
    for (const int thread : threads) {
        sched_setaffinity(thread, sizeof set, &set);  // a thread that has just ended is no loss
    }
}

}  // namespace dpdkperf::host
