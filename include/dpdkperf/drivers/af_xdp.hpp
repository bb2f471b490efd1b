#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/interface_lock.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/host/netlink.hpp"
#include "dpdkperf/host/xdp_program.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/ports/rss_state.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::drivers {

// A kernel interface that lends its queues to the data plane (DPDK's net_af_xdp). The interface
// stays the kernel's: our XDP program takes the packets that are claimed through steering(), and
// leaves all others, as if we were not there.
//
// The driver attaches a program of its own while it opens a queue; we take its sockets over and
// attach ours by a bpf_link, because the driver's would outlive a crash, and knows one queue of a
// veth only (rte_eth_af_xdp.c, DPDK 22.11).
class AfXdpPort {
public:
    // The largest MTU: a frame and the kernel's headroom must fit a UMEM chunk, which is at most
    // a page (xdp_umem_reg(), Linux 6.1).
    static constexpr std::uint32_t kMaxMtuBytes = 3438;

    // What open() would tell DPDK about each queue of `interface`; the interface is not touched.
    // Main thread. Errors: kUsage as open(), kDevice.
    static Result<ports::PortPlan> plan(const host::Interface& interface, const ports::Eal& eal);

    // Opens all active receive queues of `interface` and attaches the program. `keeper` undoes
    // what the driver would leave behind if this process died meanwhile. Main thread. Errors: kBusy
    // (another dpdkperf, a foreign XDP program), kUsage (no Ethernet, MTU too large), kPermission,
    // kDevice.
    static Result<std::unique_ptr<AfXdpPort>> open(
        const host::Interface& interface, const ports::Eal& eal, host::Keeper& keeper);
    AfXdpPort(const AfXdpPort&) = delete;
    AfXdpPort& operator=(const AfXdpPort&) = delete;
    ~AfXdpPort();  // no poller may use the queues any more

    // One for each receive queue of the interface.
    [[nodiscard]] const std::vector<ports::QueuePair>& queues() const { return queues_; }
    [[nodiscard]] host::Steering& steering() { return *program_; }
    [[nodiscard]] const host::Interface& interface() const { return interface_; }
    // How the interface spreads packets over its queues; none if it does not tell.
    [[nodiscard]] std::optional<ports::RssState> rss() const;
    // "net_af_xdp", and the driver below it where there is one: "net_af_xdp (ice)".
    [[nodiscard]] std::string driver() const;

private:
    AfXdpPort(const host::Interface& interface, const ports::Eal& eal, host::Keeper& keeper,
        host::InterfaceLock lock, std::unique_ptr<host::XdpProgram> program);
    Status open_queues();
    Status take_queue(std::uint32_t queue, const host::HandoverObject& handover);
    Status open_queue(std::uint32_t queue, const host::HandoverObject& handover);
    Status add_device(std::uint32_t queue, const host::HandoverObject& handover);
    [[nodiscard]] std::string device_name(std::uint32_t queue) const;
    void close() noexcept;

    host::Interface interface_;
    const ports::Eal& eal_;
    host::Keeper& keeper_;
    host::InterfaceLock lock_;
    std::unique_ptr<host::XdpProgram> program_;
    std::vector<std::string> devices_;
    std::vector<ports::Port> ports_;
    std::vector<int> sockets_;  // one of each port
    std::vector<ports::QueuePair> queues_;
};

}  // namespace dpdkperf::drivers
