#pragma once

#include "dpdkperf/stats/counters.hpp"
#include "dpdkperf/stats/udp_receiver.hpp"
#include "stream.hpp"
#include "udp_template.hpp"

#include <algorithm>
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
    std::atomic<std::uint64_t> max_datagram{0};  // payload bytes, once ours are too large

    // Whether datagrams that come to this poller are data for it to count.
    [[nodiscard]] bool receives(const Poller& poller) const
    {
        return !sends() && !final && owned_by(poller) && open.load(std::memory_order_relaxed);
    }
    // So many, with so much payload each. iperf3 reads at most the agreed length of a datagram;
    // what is longer is cut.
    void add_received(std::uint64_t count, std::uint64_t payload_bytes) noexcept
    {
        datagrams_done.add(count);
        bytes_done.add(count * std::min<std::uint64_t>(payload_bytes, spec.datagram.value));
    }

    // Datagrams that the user's limit still allows to be made.
    [[nodiscard]] std::uint64_t left() const
    {
        return spec.max_datagrams == 0 ? ~std::uint64_t{0} : spec.max_datagrams - stamped;
    }
};

}  // namespace dpdkperf::engine
