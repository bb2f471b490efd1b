#pragma once

#include "dpdkperf/pacing/pacer.hpp"
#include "dpdkperf/stats/counters.hpp"
#include "dpdkperf/stats/snapshot.hpp"
#include "dpdkperf/stats/udp_receiver.hpp"
#include "dpdkperf/traffic/traffic.hpp"
#include "udp_template.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace dpdkperf::engine {

class Poller;
struct Session;

// One stream. Made by the control thread in open(); from then on its owner, a poller, has it to
// itself, and the control thread reads the atomics and the slots.
struct alignas(64) UdpStream {
    traffic::StreamSpec spec;
    Session* session = nullptr;

    // Owner only.
    Endpoint local, remote;
    UdpTemplate datagrams;
    pacing::Pacer pacer;
    stats::UdpReceiver receiver;
    std::uint64_t stamped = 0;  // datagrams made; the last sequence number
    std::uint64_t ring_full = 0;
    bool final = false;  // kFinalEdge has been published

    // Owner: writes. Control: reads.
    stats::SingleWriterCounter datagrams_done;  // accepted by the NIC, or received
    stats::SingleWriterCounter bytes_done;
    stats::SingleWriterCounter late;  // received after the final snapshot
    std::atomic<bool> open{false};    // release: remote_port and legacy_reply are set
    std::atomic<bool> refused{false};
    std::atomic<bool> sending{false};
    std::uint16_t remote_port = 0;
    bool legacy_reply = false;
    stats::SnapshotSlots slots;

    // The owner. Client: set before the pollers know the session; of a receiver, by the poller
    // that the reply comes to. Server: by the poller that the hello comes to.
    std::atomic<const Poller*> owner{nullptr};

    [[nodiscard]] bool sends() const { return spec.direction == traffic::Direction::kSend; }
    // Datagrams that the user's limit still allows to be made.
    [[nodiscard]] std::uint64_t left() const
    {
        return spec.max_datagrams == 0 ? ~std::uint64_t{0} : spec.max_datagrams - stamped;
    }
};

// A test as the pollers see it. Owned by the engine; pollers know it from kAdd to kRemove.
struct Session {
    traffic::SessionSpec spec;                        // constant after open()
    std::vector<std::unique_ptr<UdpStream>> streams;  // constant after open()

    std::atomic<std::uint32_t> next_hello{0};   // server: the stream that the next hello opens
    std::atomic<std::uint32_t> added_by{0};     // pollers that have carried out kAdd
    std::atomic<std::uint32_t> finished_by{0};  // pollers that have carried out kFinish
    std::atomic<std::uint32_t> removed_by{0};   // pollers that have carried out kRemove

    // Pollers: add. Control: reads. Cold, so shared by all pollers.
    std::atomic<std::uint64_t> bad_checksum{0}, bad_length{0}, unexpected{0}, pool_empty{0};
    std::atomic<std::uint64_t> not_handed_over{0};
};

}  // namespace dpdkperf::engine
