#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/ports/port.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::drivers {

// A device that DPDK has to itself: a PCI device bound to vfio-pci, memif, vhost, virtio-user. All
// that arrives comes to the pollers; the kernel needs a KernelTwin.
class OwnedPort {
public:
    // How long the client of a memif waits for its server.
    static constexpr std::chrono::seconds kPeerPatience{5};

    struct Request {
        std::uint16_t queue_pairs = 1;           // one for each poller
        std::optional<std::uint32_t> mtu_bytes;  // none: what the port has
    };

    // Opens and starts the one device that EAL has found. Main thread. Errors: kNotFound for none,
    // kUsage for several, for one without a peer (null, pcap, ring) and for one that is a
    // kernel interface (af_xdp, af_packet, tap), kDevice for what the driver refuses.
    static Result<std::unique_ptr<OwnedPort>> open(const ports::Eal& eal, const Request& request);
    OwnedPort(const OwnedPort&) = delete;
    OwnedPort& operator=(const OwnedPort&) = delete;
    ~OwnedPort();  // neither a poller nor a twin uses it any more

    [[nodiscard]] std::uint16_t id() const { return port_.id(); }
    [[nodiscard]] const std::string& name() const { return name_; }  // "net_memif0", "0000:5e:00.0"
    [[nodiscard]] Mac mac() const { return port_.mac(); }
    [[nodiscard]] std::uint32_t mtu_bytes() const { return mtu_bytes_; }
    [[nodiscard]] const std::vector<ports::QueuePair>& queues() const
    {
        return port_.queue_pairs();
    }
    [[nodiscard]] const ports::PortPlan& plan() const { return plan_; }

private:
    OwnedPort(const ports::Eal& eal, ports::Port port, ports::PortPlan plan, std::string name,
        std::uint32_t mtu_bytes);

    const ports::Eal& eal_;
    ports::Port port_;
    ports::PortPlan plan_;
    std::string name_;
    std::uint32_t mtu_bytes_;
};

}  // namespace dpdkperf::drivers
