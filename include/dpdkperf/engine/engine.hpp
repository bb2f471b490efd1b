#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/capture/capture.hpp"
#include "dpdkperf/impair/plan.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/ports/exception_path.hpp"
#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/ports/rss_state.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace dpdkperf::engine {

// Which received UDP and TCP checksums are right where the port says nothing of a packet. What it
// says is believed: good, bad, or none needed. IP headers and all lengths are always checked.
enum class RxChecksum {
    kVerify,           // the sum over the whole datagram
    kVerifyOrPartial,  // or that of the pseudo-header alone: a Linux peer behind veth, tun, virtio
    kTrust,            // all of them: the link is this machine's memory (memif, vhost)
};

// What one poller owns.
struct PollerSetup {
    unsigned lcore = 0;
    std::vector<ports::QueuePair> queues;  // receives from all, transmits on the first
};

struct EngineSetup {
    const ports::Eal* eal = nullptr;  // outlives the engine
    std::vector<PollerSetup> pollers;
    Mac mac;                         // of the port
    std::uint32_t mtu_bytes = 1500;  // largest IP packet
    RxChecksum rx_checksum = RxChecksum::kVerify;
    std::optional<ports::RssState> rss = std::nullopt;  // of the port, if it tells
    // Of a port that gives every packet to the pollers: those that are no stream's go here, and
    // what the kernel sends comes from here and leaves by the first poller. Outlives the engine.
    ports::ExceptionPath* exceptions = nullptr;
    // A bad link between the port and the pollers, the kernel's packets of such a port included.
    impair::Plan impairment{};
    // The first frames of the streams go there, of interface `capture_interface`. Outlives the
    // engine.
    capture::Capture* capture = nullptr;
    std::uint16_t capture_interface = 0;
};

// UDP and TCP on pollers. Pollers run from create() to destruction. While there is no session they
// sleep, or, with exceptions, look after the kernel's packets with longer and longer naps. Ports
// are started before and stopped after.
//
// Errors: no mbuf field left for the tag.
Result<std::unique_ptr<traffic::Traffic>> create_engine(const EngineSetup& setup);

}  // namespace dpdkperf::engine
