#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/base/units.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/ports/rss_state.hpp"

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
        bool sends_tcp = true;                   // UDP alone leaves some drivers a faster way
        bool rx_checksum = true;                 // let the device check, where it can
    };

    struct Planned {
        std::uint16_t id = 0;
        std::string name;  // "net_memif0", "0000:5e:00.0"
        std::uint32_t mtu_bytes = 0;
        ports::PortPlan plan;
    };

    // What open() would do with the one device that EAL has found; nothing is done. Errors:
    // kNotFound for no device, kUsage for several, for one without a peer (null, pcap, ring) and
    // for one that is a kernel interface (af_xdp, af_packet, tap).
    static Result<Planned> plan(const Request& request);

    // Opens, starts and checks it. Main thread. Waits `patience` for the server of a memif. Errors:
    // those of plan(), kDevice for what the driver refuses, kPeer if nobody is at the other end of
    // a memif.
    static Result<std::unique_ptr<OwnedPort>> open(const ports::Eal& eal, const Request& request,
        std::chrono::seconds patience = kPeerPatience);
    OwnedPort(const OwnedPort&) = delete;
    OwnedPort& operator=(const OwnedPort&) = delete;
    ~OwnedPort();  // neither a poller nor a twin uses it any more

    [[nodiscard]] std::uint16_t id() const { return port_.id(); }
    [[nodiscard]] const std::string& name() const { return planned_.name; }
    [[nodiscard]] Mac mac() const { return port_.mac(); }
    [[nodiscard]] std::uint32_t mtu_bytes() const { return planned_.mtu_bytes; }
    [[nodiscard]] const Planned& planned() const { return planned_; }
    [[nodiscard]] const ports::PortPlan& plan() const { return planned_.plan; }
    // Now. None: the link is down, or the driver makes it up.
    [[nodiscard]] std::optional<BitRate> link_speed() const;
    [[nodiscard]] const std::vector<ports::QueuePair>& queues() const
    {
        return port_.queue_pairs();
    }
    [[nodiscard]] const std::optional<ports::RssState>& rss() const { return rss_; }

private:
    OwnedPort(const ports::Eal& eal, ports::Port port, Planned planned);

    const ports::Eal& eal_;
    ports::Port port_;
    Planned planned_;
    std::optional<ports::RssState> rss_;
};

}  // namespace dpdkperf::drivers
