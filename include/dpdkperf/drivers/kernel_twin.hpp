#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/tap.hpp"
#include "dpdkperf/ports/exception_path.hpp"

#include <cstdint>
#include <memory>
#include <thread>

struct rte_mempool;

namespace dpdkperf::drivers {

struct TwinSetup {
    host::TapSettings tap;
    std::uint16_t port_id = 0;    // whose link the TAP's carrier follows
    rte_mempool* pool = nullptr;  // of the queue that transmits the kernel's packets; its mbufs
                                  // hold a whole frame
    int numa_node = -1;
};

// The kernel interface beside a port that DPDK owns: a TAP with the port's MAC and addresses, and
// a thread that moves packets between it and the pollers. ARP, ND, ping, ssh and the control
// connection work through it. The port is started, and outlives this.
//
// The thread is a plain one that sleeps in poll(); it is registered with DPDK for a mempool cache
// (a thread without an lcore id takes mbufs 7 to 12 times slower).
class KernelTwin {
public:
    // Main thread. Errors: what host::Tap::open() refuses, no memory, no lcore id left.
    static Result<std::unique_ptr<KernelTwin>> open(const TwinSetup& setup);
    KernelTwin(const KernelTwin&) = delete;
    KernelTwin& operator=(const KernelTwin&) = delete;
    ~KernelTwin();  // no poller uses exceptions() any more

    [[nodiscard]] const host::Tap& tap() const { return tap_; }
    [[nodiscard]] ports::ExceptionPath& exceptions() { return *exceptions_; }

private:
    KernelTwin(
        const TwinSetup& setup, host::Tap tap, std::unique_ptr<ports::ExceptionPath> exceptions);
    void run(const std::stop_token& stop) noexcept;
    bool deliver() noexcept;
    bool collect() noexcept;
    void follow_link() noexcept;
    void sleep() noexcept;

    const std::uint16_t port_id_;
    rte_mempool* const pool_;
    const host::Tap tap_;
    const std::unique_ptr<ports::ExceptionPath> exceptions_;
    bool carrier_ = true;   // that the TAP shows; twin's thread
    bool held_up_ = false;  // there is no room for what the TAP has; twin's thread

    std::jthread thread_;  // last: ends before the rest goes
};

}  // namespace dpdkperf::drivers
