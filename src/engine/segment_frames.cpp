#include "segment_frames.hpp"

#include "dpdkperf/wire/checksum.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <rte_prefetch.h>

namespace dpdkperf::engine {

using namespace wire;

namespace {

constexpr std::uint32_t kAhead = 4;

// Takes the line from whoever has read it. The compiler's own prefetch for writing is one for
// reading where the instruction is not part of the target, and then the line is asked for twice; a
// processor without it passes over it.
void prefetch_for_writing(const std::byte* at) noexcept
{
#if defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(*at));
#else
    __builtin_prefetch(at, 1);
#endif
}

// The lines that headers are written to.
void prefetch_headers(const rte_mbuf& mbuf) noexcept
{
    const auto* const frame = rte_pktmbuf_mtod(&mbuf, const std::byte*);
    prefetch_for_writing(frame);
    prefetch_for_writing(frame + RTE_CACHE_LINE_SIZE);
}

// The bytes behind a piece that is copied are copied next. The processor sees that for itself, but
// only from the second line on.
void prefetch_behind(std::span<const std::byte> piece) noexcept
{
    constexpr std::size_t kLines = 4;
    for (std::size_t line = 0; line < kLines; ++line) {
        rte_prefetch0(piece.data() + piece.size() + line * RTE_CACHE_LINE_SIZE);
    }
}

// As a spare has to be; its length is set when it is used.
void drop_payload(rte_mbuf& mbuf) noexcept
{
    rte_pktmbuf_free(mbuf.next);
    mbuf.next = nullptr;
    mbuf.nb_segs = 1;
}

}  // namespace

SegmentFrames::~SegmentFrames()
{
    rte_pktmbuf_free_bulk(&frames_[begin_], end_ - begin_);
    rte_pktmbuf_free_bulk(spares_.data(), spare_count_);
}

bool SegmentFrames::ready(const PollerQueue& queue) noexcept
{
    starved_ = false;
    return cut_.writer == nullptr && end_ < kCapacity && take_spares(queue);
}

bool SegmentFrames::take_spares(const PollerQueue& queue) noexcept
{
    if (spare_count_ == 0) {
        starved_ = rte_pktmbuf_alloc_bulk(queue.pool, spares_.data(), kSpares) != 0;
        spare_count_ = starved_ ? 0 : kSpares;
    }
    return spare_count_ > 0;
}

void SegmentFrames::add(const tcp::Segment& segment, const TcpFrameWriter& writer,
    const tcp::StreamContent* content, const PollerQueue& queue) noexcept
{
    cut_ = {segment, &writer, content, 0};
    const bool several = segment.payload_bytes > segment.packet_payload_bytes;
    if (!queue.tso || !several || !put_whole(queue)) {
        cut(queue);
    }
}

void SegmentFrames::forget(const TcpFrameWriter& writer) noexcept
{
    if (cut_.writer == &writer) {
        cut_.writer = nullptr;
    }
}

void SegmentFrames::cut(const PollerQueue& queue) noexcept
{
    while (cut_.writer != nullptr && end_ < kCapacity && take_spares(queue)) {
        cut_packet(queue);
    }
}

rte_mbuf* SegmentFrames::take_spare() noexcept
{
    rte_mbuf* const mbuf = spares_[--spare_count_];
    if (spare_count_ >= kAhead) {
        prefetch_headers(*spares_[spare_count_ - kAhead]);
    }
    return mbuf;
}

// Lets the device cut (mbuf_core.h, RTE_MBUF_F_TX_TCP_SEG; DPDK 22.11). False: it is as before,
// because no mbuf was left for the payload, or the driver does not take this one.
bool SegmentFrames::put_whole(const PollerQueue& queue) noexcept
{
    const tcp::Segment& segment = cut_.segment;
    rte_mbuf& mbuf = *take_spare();
    alignas(64) std::array<std::byte, kMaxTcpFrameHeader> frame;
    const TcpFrameHeader written =
        cut_.writer->write(frame, segment.header, segment.payload_bytes, segment.ecn);
    mbuf.data_len = static_cast<std::uint16_t>(written.size_bytes);
    if (!alias_payload(mbuf, *queue.pinned)) {
        spares_[spare_count_++] = &mbuf;
        return false;
    }
    const std::uint16_t pseudo = fold(cut_.writer->pseudo_header_sum());
    std::memcpy(&frame[written.checksum_offset], &pseudo, sizeof pseudo);
    std::memcpy(rte_pktmbuf_mtod(&mbuf, void*), frame.data(), written.size_bytes);
    tags_.of(mbuf) = 0;
    mbuf.pkt_len = static_cast<std::uint32_t>(written.size_bytes) + segment.payload_bytes;
    const std::size_t ip_size = cut_.writer->ip_size();
    mbuf.tx_offload = rte_mbuf_tx_offload(kEthernetSize, ip_size,
        written.size_bytes - kEthernetSize - ip_size, segment.packet_payload_bytes, 0, 0, 0);
    mbuf.ol_flags |=
        RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
        (ip_size == kIpv4Size ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6);
    rte_mbuf* prepared = &mbuf;
    if (rte_eth_tx_prepare(queue.port_id, queue.queue_id, &prepared, 1) != 1) [[unlikely]] {
        mbuf.ol_flags = 0;
        drop_payload(mbuf);
        spares_[spare_count_++] = &mbuf;
        return false;
    }
    frames_[end_++] = &mbuf;
    cut_.writer = nullptr;
    return true;
}

// A chain behind `mbuf`, which takes what does not lie in a pinned buffer. False: there is none.
bool SegmentFrames::alias_payload(rte_mbuf& mbuf, const ports::PinnedBuffers& pinned) const noexcept
{
    rte_mbuf* last = &mbuf;
    std::uint64_t offset = cut_.segment.stream_offset;
    for (std::uint32_t left = cut_.segment.payload_bytes; left > 0;) {
        const auto piece = cut_.content->piece(offset, std::min(left, kMostAliased));
        rte_mbuf* const alias = pinned.alias(piece);
        if (alias != nullptr) [[likely]] {
            last = last->next = alias;
            ++mbuf.nb_segs;
        } else if (last == &mbuf && piece.size() <= tcp::StreamContent::kMaxPrefix) {
            std::memcpy(rte_pktmbuf_mtod_offset(&mbuf, std::byte*, mbuf.data_len), piece.data(),
                piece.size());
            mbuf.data_len = static_cast<std::uint16_t>(mbuf.data_len + piece.size());
        } else {
            drop_payload(mbuf);
            return false;
        }
        offset += piece.size();
        left -= static_cast<std::uint32_t>(piece.size());
    }
    return true;
}

// PSH and FIN belong to the last packet of a segment that is cut, CWR to the first.
void SegmentFrames::cut_packet(const PollerQueue& queue) noexcept
{
    const tcp::Segment& segment = cut_.segment;
    const std::uint32_t bytes =
        std::min(segment.payload_bytes - cut_.done, segment.packet_payload_bytes);
    const bool last = cut_.done + bytes == segment.payload_bytes;
    TcpHeader header = segment.header;
    header.sequence += cut_.done;
    header.flags &= static_cast<std::uint8_t>(last ? 0xff : ~(kTcpPsh | kTcpFin));
    header.flags &= static_cast<std::uint8_t>(cut_.done == 0 ? 0xff : ~kTcpCwr);
    rte_mbuf* const mbuf = take_spare();
    fill(*mbuf, header, bytes, queue.pinned);
    frames_[end_++] = mbuf;
    cut_.done += bytes;
    if (last) {
        cut_.writer = nullptr;
    }
}

void SegmentFrames::fill(rte_mbuf& mbuf, const TcpHeader& header, std::uint32_t bytes,
    const ports::PinnedBuffers* pinned) const noexcept
{
    // The buffer's lines may be in the cache of whoever read them last: nothing waits for them when
    // they are only written, at the end and once.
    alignas(64) std::array<std::byte, kMaxTcpFrameHeader> frame;
    const TcpFrameHeader written = cut_.writer->write(frame, header, bytes, cut_.segment.ecn);
    mbuf.data_len = static_cast<std::uint16_t>(written.size_bytes);
    mbuf.pkt_len = static_cast<std::uint32_t>(written.size_bytes) + bytes;
    ChecksumSum sum = written.sum;
    Tag holds = 0;
    if (bytes > 0) {
        const std::uint64_t offset = cut_.segment.stream_offset + cut_.done;
        sum += cut_.content->sum(offset, bytes);
        if (cut_.content->is_period(offset, bytes)) {
            holds = make_payload_tag(bytes, static_cast<std::uint32_t>(written.size_bytes));
        }
        if (holds != 0 && holds == tags_.of(mbuf)) {
            mbuf.data_len = static_cast<std::uint16_t>(mbuf.pkt_len);
        } else {
            put_payload(mbuf, offset, bytes, pinned);
        }
    }
    tags_.of(mbuf) = holds;
    const std::uint16_t checksum = finish(sum);
    std::memcpy(&frame[written.checksum_offset], &checksum, sizeof checksum);
    std::memcpy(rte_pktmbuf_mtod(&mbuf, void*), frame.data(), written.size_bytes);
}

void SegmentFrames::put_payload(rte_mbuf& mbuf, std::uint64_t offset, std::uint32_t bytes,
    const ports::PinnedBuffers* pinned) const noexcept
{
    while (bytes > 0) {
        const auto piece = cut_.content->piece(offset, bytes);
        // Only the last piece can stay where it is, and pays for an mbuf only if it is long.
        if (piece.size() == bytes && bytes >= kLeastAliased && pinned != nullptr) {
            rte_mbuf* const alias = pinned->alias(piece);
            if (alias != nullptr) [[likely]] {
                mbuf.next = alias;
                mbuf.nb_segs = 2;
                return;
            }
        }
        std::memcpy(
            rte_pktmbuf_mtod_offset(&mbuf, std::byte*, mbuf.data_len), piece.data(), piece.size());
        prefetch_behind(piece);
        mbuf.data_len = static_cast<std::uint16_t>(mbuf.data_len + piece.size());
        offset += piece.size();
        bytes -= static_cast<std::uint32_t>(piece.size());
    }
}

bool SegmentFrames::send(const PollerQueue& queue) noexcept
{
    bool took = offer(queue);
    while (begin_ == end_ && cut_.writer != nullptr && take_spares(queue)) {
        cut(queue);
        took |= offer(queue);
    }
    return took;
}

bool SegmentFrames::offer(const PollerQueue& queue) noexcept
{
    bool took = false;
    while (begin_ != end_) {
        const std::uint32_t most = std::min<std::uint32_t>(end_ - begin_, queue.chain_burst);
        const std::uint16_t taken =
            queue.transmit(&frames_[begin_], static_cast<std::uint16_t>(most));
        begin_ += taken;
        took |= taken > 0;
        if (taken < most) {
            return took;
        }
    }
    begin_ = end_ = 0;
    return took;
}

}  // namespace dpdkperf::engine
