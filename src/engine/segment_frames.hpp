#pragma once

#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/tcp/content.hpp"
#include "dpdkperf/tcp/segment.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "tag.hpp"

#include <array>
#include <cstdint>

#include <rte_mbuf.h>

namespace dpdkperf::engine {

// Frames made of segments, on their way to the NIC. Owns them until the NIC takes them; what it
// does not take stays and is offered first the next time, so a full ring holds the connections up
// and loses nothing.
class SegmentFrames {
public:
    // Packets that one segment may be cut into, at most.
    static constexpr std::uint32_t kMostPackets = 32;

    explicit SegmentFrames(const TagField& tags) : tags_{tags} {}
    SegmentFrames(const SegmentFrames&) = delete;
    SegmentFrames& operator=(const SegmentFrames&) = delete;
    ~SegmentFrames();

    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

    // No room for a whole segment: the NIC is behind.
    [[nodiscard]] bool full() const noexcept { return kCapacity - end_ < kMostPackets; }

    // Room and mbufs for a whole segment. False: full(), or the pool is empty.
    bool ready(const ports::QueuePair& queue) noexcept;

    // Requires ready(). The payload comes from `content`, which may be null where there is none.
    void add(const tcp::Segment& segment, const wire::TcpFrameWriter& writer,
        const tcp::StreamContent* content) noexcept;

    // Offers everything to the NIC.
    void send(const ports::QueuePair& queue) noexcept;

private:
    void add_packet(const wire::TcpHeader& header, const wire::TcpFrameWriter& writer,
        const tcp::StreamContent* content, std::uint64_t offset, std::uint32_t bytes,
        wire::Ecn ecn) noexcept;

    static constexpr std::uint32_t kCapacity = 128;
    static constexpr std::uint32_t kSpares = 64;

    TagField tags_;
    std::array<rte_mbuf*, kCapacity> frames_{};
    std::uint32_t begin_ = 0, end_ = 0;
    std::array<rte_mbuf*, kSpares> spares_{};  // taken from the pool, not yet filled
    std::uint32_t spare_count_ = 0;
};

}  // namespace dpdkperf::engine
