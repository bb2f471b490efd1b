#include "segment_frames.hpp"

#include "dpdkperf/wire/checksum.hpp"

#include <algorithm>
#include <cstring>

#include <rte_ethdev.h>

namespace dpdkperf::engine {

using namespace wire;

SegmentFrames::~SegmentFrames()
{
    rte_pktmbuf_free_bulk(&frames_[begin_], end_ - begin_);
    rte_pktmbuf_free_bulk(spares_.data(), spare_count_);
}

bool SegmentFrames::ready(const ports::QueuePair& queue) noexcept
{
    starved_ = false;
    return cut_.writer == nullptr && end_ < kCapacity && take_spares(queue);
}

bool SegmentFrames::take_spares(const ports::QueuePair& queue) noexcept
{
    if (spare_count_ == 0) {
        starved_ = rte_pktmbuf_alloc_bulk(queue.pool, spares_.data(), kSpares) != 0;
        spare_count_ = starved_ ? 0 : kSpares;
    }
    return spare_count_ > 0;
}

void SegmentFrames::add(const tcp::Segment& segment, const TcpFrameWriter& writer,
    const tcp::StreamContent* content, const ports::QueuePair& queue) noexcept
{
    cut_ = {segment, &writer, content, 0};
    cut(queue);
}

void SegmentFrames::forget(const TcpFrameWriter& writer) noexcept
{
    if (cut_.writer == &writer) {
        cut_.writer = nullptr;
    }
}

void SegmentFrames::cut(const ports::QueuePair& queue) noexcept
{
    while (cut_.writer != nullptr && end_ < kCapacity && take_spares(queue)) {
        cut_packet();
    }
}

// PSH and FIN belong to the last packet of a segment that is cut, CWR to the first.
void SegmentFrames::cut_packet() noexcept
{
    const tcp::Segment& segment = cut_.segment;
    const std::uint32_t bytes =
        std::min(segment.payload_bytes - cut_.done, segment.packet_payload_bytes);
    const bool last = cut_.done + bytes == segment.payload_bytes;
    TcpHeader header = segment.header;
    header.sequence += cut_.done;
    header.flags &= static_cast<std::uint8_t>(last ? 0xff : ~(kTcpPsh | kTcpFin));
    header.flags &= static_cast<std::uint8_t>(cut_.done == 0 ? 0xff : ~kTcpCwr);
    rte_mbuf* const mbuf = spares_[--spare_count_];
    fill(*mbuf, header, bytes);
    frames_[end_++] = mbuf;
    cut_.done += bytes;
    if (last) {
        cut_.writer = nullptr;
    }
}

void SegmentFrames::fill(
    rte_mbuf& mbuf, const TcpHeader& header, std::uint32_t bytes) const noexcept
{
    tags_.of(mbuf) = 0;
    auto* const frame = rte_pktmbuf_mtod(&mbuf, std::byte*);
    const TcpFrameHeader written =
        cut_.writer->write(std::span<std::byte, kMaxTcpFrameHeader>{frame, kMaxTcpFrameHeader},
            header, bytes, cut_.segment.ecn);
    ChecksumSum sum = written.sum;
    if (bytes > 0) {
        const std::uint64_t offset = cut_.segment.stream_offset + cut_.done;
        sum += cut_.content->sum(offset, bytes);
        std::byte* to = frame + written.size_bytes;
        for (std::uint32_t copied = 0; copied < bytes;) {
            const auto piece = cut_.content->piece(offset + copied, bytes - copied);
            std::memcpy(to + copied, piece.data(), piece.size());
            copied += static_cast<std::uint32_t>(piece.size());
        }
    }
    const std::uint16_t checksum = finish(sum);
    std::memcpy(frame + written.checksum_offset, &checksum, sizeof checksum);
    mbuf.data_len = static_cast<std::uint16_t>(written.size_bytes + bytes);
    mbuf.pkt_len = mbuf.data_len;
}

void SegmentFrames::send(const ports::QueuePair& queue) noexcept
{
    offer(queue);
    while (begin_ == end_ && cut_.writer != nullptr && take_spares(queue)) {
        cut(queue);
        offer(queue);
    }
}

void SegmentFrames::offer(const ports::QueuePair& queue) noexcept
{
    while (begin_ != end_) {
        const std::uint32_t most = std::min<std::uint32_t>(end_ - begin_, queue.burst);
        const std::uint16_t taken = rte_eth_tx_burst(
            queue.port_id, queue.queue_id, &frames_[begin_], static_cast<std::uint16_t>(most));
        begin_ += taken;
        if (taken < most) {
            return;
        }
    }
    begin_ = end_ = 0;
}

}  // namespace dpdkperf::engine
