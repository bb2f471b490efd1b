#pragma once

#include "dpdkperf/base/units.hpp"
#include "dpdkperf/stats/frames.hpp"
#include "dpdkperf/stats/tcp_health.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace dpdkperf::stats {

// The number that the last snapshot of a stream carries, whenever it is taken.
inline constexpr std::uint64_t kFinalEdge = ~std::uint64_t{0};

// Counters of one stream at one edge. Everything counts from the start of the stream, the
// omitted part included, except jitter_s, which iperf3 restarts when omit ends.
struct Snapshot {
    std::uint64_t edge = 0;          // Edge::number, or kFinalEdge
    std::chrono::nanoseconds at{0};  // since the start of the test, as measured by the poller
    PayloadBytes bytes;         // sent: accepted by the NIC, TCP: once; received: arrived, in order
    std::uint64_t packets = 0;  // UDP, sent: accepted by the NIC; received: highest sequence
    // Of a receiver, by iperf3's rules (UdpReceiver); 0 of a sender.
    std::int64_t lost = 0;
    std::int64_t out_of_order = 0;
    double jitter_s = 0;
    // What iperf3 does not know.
    std::uint64_t arrived = 0;     // datagrams received, duplicates included
    std::uint64_t duplicates = 0;  // of these, copies of one that had come before
    std::uint64_t ring_full = 0;   // sender: turns in which the NIC took less than offered
    std::uint64_t offered = 0;     // UDP sender: datagrams made
    // All packets of the stream that we have sent, and that have come to us: of a TCP connection
    // also those without payload, and what was sent again.
    FrameCount sent_frames, received_frames;
    // Of a TCP connection, as Linux's tcp_info has it and iperf3 prints it; 0 of others.
    std::uint64_t retransmits = 0;  // segments, since the stream was opened
    std::uint64_t cwnd_bytes = 0;
    std::uint64_t peer_window_bytes = 0;
    std::uint64_t rtt_us = 0;
    std::uint64_t rttvar_us = 0;
    std::uint64_t path_mtu_bytes = 0;
    std::uint64_t reordering = 0;  // segments
    TcpHealth health;
};

// Carries snapshots from the poller that owns a stream to the reader. The poller overwrites the
// oldest slot; a reader that is more than kSlots edges late finds nothing.
// One writing thread, one reading thread, no locks: a sequence lock per slot.
class SnapshotSlots {
public:
    static constexpr std::size_t kSlots = 16;

    // Poller only.
    void publish(const Snapshot& snapshot) noexcept;

    // The snapshot of edge `number` (or kFinalEdge), if it has been published and not yet
    // overwritten.
    [[nodiscard]] std::optional<Snapshot> read(std::uint64_t number) const noexcept;

private:
    static constexpr std::size_t kWords = sizeof(Snapshot) / sizeof(std::uint64_t);

    struct alignas(64) Slot {
        std::atomic<std::uint64_t> version{0};  // odd while being written
        std::array<std::atomic<std::uint64_t>, kWords> words{};
    };

    std::array<Slot, kSlots> slots_{};
    std::size_t next_ = 0;  // poller only
};

static_assert(std::is_trivially_copyable_v<Snapshot>);
static_assert(sizeof(Snapshot) % sizeof(std::uint64_t) == 0);

}  // namespace dpdkperf::stats
