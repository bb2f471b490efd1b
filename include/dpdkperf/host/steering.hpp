#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/ip_protocol.hpp"
#include "dpdkperf/base/result.hpp"

#include <cstdint>

namespace dpdkperf::host {

// Tells the kernel which received packets are the data plane's. All others stay the kernel's.
// One implementation per kind of port; where a lcore sees every packet anyway there is nothing
// to tell. Main thread only.
class Steering {
public:
    Steering() = default;
    Steering(const Steering&) = delete;
    Steering& operator=(const Steering&) = delete;
    virtual ~Steering() = default;

    // Packets from exactly `remote` to exactly `local` are ours.
    virtual Status claim_flow(
        IpProtocol protocol, const Endpoint& local, const Endpoint& remote) = 0;
    virtual void release_flow(
        IpProtocol protocol, const Endpoint& local, const Endpoint& remote) = 0;

    // Packets from any port of `peer` to `local` are ours, until there are as many releases as
    // claims (a server, for the time of one test). Of TCP only connections that open meanwhile: a
    // SYN without ACK claims its flow, which is a stranger's and the kernel's again after the last
    // release, unless claim_flow() has taken it; what `peer` has open already, the control
    // connection, is the kernel's.
    virtual Status claim_peer(
        IpProtocol protocol, const Endpoint& local, const IpAddress& peer) = 0;
    virtual void release_peer(
        IpProtocol protocol, const Endpoint& local, const IpAddress& peer) = 0;

    // Must be called at least once a second while anything is claimed: a program whose owner is
    // silent for 2 s passes everything to the kernel again.
    virtual void heartbeat() = 0;

    // Claimed packets that arrived on queue `queue` of the interface, where no poller listens,
    // and were dropped, since the steering was made. A growing number ends the test with an error.
    struct Stray {
        std::uint64_t packets = 0;
        std::uint32_t queue = 0;  // that most of them came to
    };
    [[nodiscard]] virtual Stray stray() const = 0;
};

}  // namespace dpdkperf::host
