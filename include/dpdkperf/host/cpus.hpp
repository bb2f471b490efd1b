#pragma once

#include <optional>
#include <vector>

namespace dpdkperf::host {

// The CPUs that this thread may run on, ascending.
std::vector<unsigned> allowed_cpus();

// Whether this process may have a thread on `cpu`. Tries it with the calling thread.
bool can_run_on(unsigned cpu);

// Where one poller should run if the user does not say: the last CPU on `numa_node`, else the last
// of all. CPU 0 gets most interrupts. `allowed` is not empty. Pure but for sysfs.
unsigned choose_poller_cpu(const std::vector<unsigned>& allowed, std::optional<int> numa_node);

// The threads of this process, as ids for keep_off().
std::vector<int> threads();

// Lets `threads` run on all `allowed` CPUs but `pollers`', where that leaves any. Best effort.
void keep_off(const std::vector<int>& threads, const std::vector<unsigned>& allowed,
    const std::vector<unsigned>& pollers);

}  // namespace dpdkperf::host
