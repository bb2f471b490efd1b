#pragma once

#include "dpdkperf/tcp/content.hpp"
#include "dpdkperf/tcp/segment.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "poller_queue.hpp"
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
    explicit SegmentFrames(const TagField& tags) : tags_{tags} {}
    SegmentFrames(const SegmentFrames&) = delete;
    SegmentFrames& operator=(const SegmentFrames&) = delete;
    ~SegmentFrames();

    // Room and an mbuf for the beginning of a segment, and the last one is cut. False: the NIC is
    // behind, or the pool is empty.
    bool ready(const PollerQueue& queue) noexcept;
    // The pool had no mbuf when ready() asked for some.
    [[nodiscard]] bool starved() const noexcept { return starved_; }

    // Requires ready(). What there is no room for now is cut in send(), so `writer` and `content`
    // stay until forget(). `content` may be null where there is no payload.
    void add(const tcp::Segment& segment, const wire::TcpFrameWriter& writer,
        const tcp::StreamContent* content, const PollerQueue& queue) noexcept;

    // The rest of a segment with this writer, if there is one, is not sent.
    void forget(const wire::TcpFrameWriter& writer) noexcept;

    // Offers everything to the NIC. Returns whether it took something.
    bool send(const PollerQueue& queue) noexcept;

private:
    // A segment of which a part has become frames.
    struct Cut {
        tcp::Segment segment;
        const wire::TcpFrameWriter* writer = nullptr;  // null: there is none
        const tcp::StreamContent* content = nullptr;
        std::uint32_t done = 0;  // payload bytes
    };

    bool take_spares(const PollerQueue& queue) noexcept;
    void cut(const PollerQueue& queue) noexcept;
    rte_mbuf* take_spare() noexcept;
    bool put_whole(const PollerQueue& queue) noexcept;
    void cut_packet(const PollerQueue& queue) noexcept;
    void fill(rte_mbuf& mbuf, const wire::TcpHeader& header, std::uint32_t bytes,
        const ports::PinnedBuffers* pinned) const noexcept;
    void put_payload(rte_mbuf& mbuf, std::uint64_t offset, std::uint32_t bytes,
        const ports::PinnedBuffers* pinned) const noexcept;
    bool alias_payload(rte_mbuf& mbuf, const ports::PinnedBuffers& pinned) const noexcept;
    bool offer(const PollerQueue& queue) noexcept;

    static constexpr std::uint32_t kCapacity = 128;
    static constexpr std::uint32_t kSpares = 64;
    // Payload bytes from which on an mbuf more costs less than copying.
    static constexpr std::uint32_t kLeastAliased = 512;
    // Below what a descriptor of any device holds (vmxnet3: 16 KB, vmxnet3/base/vmxnet3_defs.h).
    static constexpr std::uint32_t kMostAliased = 16'000;

    TagField tags_;
    std::array<rte_mbuf*, kCapacity> frames_{};
    std::uint32_t begin_ = 0, end_ = 0;
    std::array<rte_mbuf*, kSpares> spares_{};  // taken from the pool, not yet filled
    std::uint32_t spare_count_ = 0;
    bool starved_ = false;
    Cut cut_;
};

}  // namespace dpdkperf::engine
