#pragma once

#include "dpdkperf/stats/counters.hpp"
#include "dpdkperf/stats/udp_receiver.hpp"
#include "stream.hpp"
#include "udp_template.hpp"

#include <cstdint>

namespace dpdkperf::engine {

// A stream of datagrams.
struct alignas(64) UdpStream final : Stream {
    void fill(stats::Snapshot& snapshot, Moment now) const noexcept override;
    void stop() noexcept override { sending.store(false, std::memory_order_release); }

    // Owner only.
    UdpTemplate datagrams;
    stats::UdpReceiver receiver;
    std::uint64_t stamped = 0;  // datagrams made; the last sequence number
    std::uint64_t ring_full = 0;

    // Owner: writes. Control: reads.
    stats::SingleWriterCounter datagrams_done;   // accepted by the NIC, or received
    stats::SingleWriterCounter late;             // received after the final snapshot
    bool legacy_reply = false;                   // set before `open`
    std::atomic<std::uint64_t> max_datagram{0};  // payload bytes, once ours are too large

    // Datagrams that the user's limit still allows to be made.
    [[nodiscard]] std::uint64_t left() const
    {
        return spec.max_datagrams == 0 ? ~std::uint64_t{0} : spec.max_datagrams - stamped;
    }
};

}  // namespace dpdkperf::engine
