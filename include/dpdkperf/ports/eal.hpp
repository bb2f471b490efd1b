#pragma once

#include "dpdkperf/base/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dpdkperf::ports {

// What to tell EAL where the user told it nothing.
struct EalDefaults {
    unsigned cpu = 0;           // where the one poller runs, unless the user says
    std::size_t memory_mb = 0;  // for pools and rings
    bool hugepages = false;     // enough huge pages are free
    std::string file_prefix;    // of this process alone
};

// The argument list, program name included. Pure.
// No hugepages: --no-huge, which DPDK 22.11 refuses together with --in-memory. In both cases no
// file is left behind (eal_common_options.c, DPDK 22.11).
std::vector<std::string> eal_arguments(const EalDefaults& defaults);

// The user's own arguments, program name put in front, with our defaults where they are silent
// about lcores, memory, IOVA mode, telemetry, file prefix and PCI devices. Pure.
std::vector<std::string> eal_arguments(
    const std::vector<std::string>& user, const EalDefaults& defaults);

// "DPDK 22.11.4"
std::string dpdk_version();

// Whether the user's arguments name devices that shall be ports: --vdev, or options of the PCI
// bus. Pure.
bool names_a_device(const std::vector<std::string>& user);

// Whether the user's arguments say where lcores run. Pure.
bool names_lcores(const std::vector<std::string>& user);

// DPDK's environment. EAL pins the thread that initialises it, so that is a thread of its own,
// which stays as the main lcore; the calling thread keeps its affinity. One per process.
class Eal {
public:
    // Errors: whatever rte_eal_init() refuses; its log goes to standard error.
    static Result<Eal> start(std::vector<std::string> arguments);
    Eal(Eal&&) noexcept;
    Eal& operator=(Eal&&) noexcept;
    ~Eal();  // waits for everything that was launched, then rte_eal_cleanup()

    // Lcores for pollers: all but the main lcore, or the main lcore if there is no other.
    [[nodiscard]] std::vector<unsigned> poller_lcores() const;
    // The CPUs that these lcores are pinned to.
    [[nodiscard]] std::vector<unsigned> poller_cpus() const;

    // Runs `task` on the main lcore's thread and waits for it. DPDK's set-up functions belong
    // there.
    void run(const std::function<void()>& task) const;

    // Starts `task` on a poller lcore; wait() returns when it has ended. The lcore must be idle.
    void launch(unsigned lcore, std::function<void()> task) const;
    void wait(unsigned lcore) const;

    // Lets a poller lcore that has been launched go on on another CPU. Returns its thread. Errors:
    // kSystem, for a CPU that is not there or not for this process.
    [[nodiscard]] Result<int> move(unsigned lcore, unsigned cpu) const;

private:
    struct Thread;
    explicit Eal(std::unique_ptr<Thread> thread);
    std::unique_ptr<Thread> thread_;
};

}  // namespace dpdkperf::ports
