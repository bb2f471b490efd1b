#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <memory>
#include <vector>

namespace dpdkperf::engine {

// Which received UDP checksums are right. IP headers and all lengths are always checked.
enum class RxChecksum {
    kVerify,           // the sum over the whole datagram
    kVerifyOrPartial,  // or that of the pseudo-header alone: a Linux peer behind veth, tun, virtio
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
};

// UDP on pollers. Pollers run from create() to destruction and sleep while there is no session.
// Ports are started before and stopped after.
//
// Errors: no mbuf field left for the tag.
Result<std::unique_ptr<traffic::Traffic>> create_udp_engine(const EngineSetup& setup);

}  // namespace dpdkperf::engine
