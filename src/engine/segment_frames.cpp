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
    if (spare_count_ < kMostPackets) {
        const unsigned wanted = kSpares - spare_count_;
        if (rte_pktmbuf_alloc_bulk(queue.pool, &spares_[spare_count_], wanted) == 0) {
            spare_count_ = kSpares;
        }
    }
    return !full() && spare_count_ >= kMostPackets;
}

// PSH and FIN belong to the last packet of a segment that is cut, CWR to the first.
void SegmentFrames::add(const tcp::Segment& segment, const TcpFrameWriter& writer,
    const tcp::StreamContent* content) noexcept
{
    TcpHeader header = segment.header;
    std::uint32_t done = 0;
    do {
        const std::uint32_t bytes =
            std::min(segment.payload_bytes - done, segment.packet_payload_bytes);
        const bool last = done + bytes == segment.payload_bytes;
        header.flags = segment.header.flags;
        header.flags &= static_cast<std::uint8_t>(last ? 0xff : ~(kTcpPsh | kTcpFin));
        header.flags &= static_cast<std::uint8_t>(done == 0 ? 0xff : ~kTcpCwr);
        add_packet(header, writer, content, segment.stream_offset + done, bytes, segment.ecn);
        header.sequence += bytes;
        done += bytes;
    } while (done < segment.payload_bytes);
}

void SegmentFrames::add_packet(const TcpHeader& header, const TcpFrameWriter& writer,
    const tcp::StreamContent* content, std::uint64_t offset, std::uint32_t bytes, Ecn ecn) noexcept
{
    rte_mbuf* const mbuf = spares_[--spare_count_];
    tags_.of(*mbuf) = 0;
    auto* const frame = rte_pktmbuf_mtod(mbuf, std::byte*);
    const TcpFrameHeader written = writer.write(
        std::span<std::byte, kMaxTcpFrameHeader>{frame, kMaxTcpFrameHeader}, header, bytes, ecn);
    ChecksumSum sum = written.sum;
    if (bytes > 0) {
        sum += content->sum(offset, bytes);
        std::byte* to = frame + written.size_bytes;
        for (std::uint32_t copied = 0; copied < bytes;) {
            const auto piece = content->piece(offset + copied, bytes - copied);
            std::memcpy(to + copied, piece.data(), piece.size());
            copied += static_cast<std::uint32_t>(piece.size());
        }
    }
    const std::uint16_t checksum = finish(sum);
    std::memcpy(frame + written.checksum_offset, &checksum, sizeof checksum);
    mbuf->data_len = static_cast<std::uint16_t>(written.size_bytes + bytes);
    mbuf->pkt_len = mbuf->data_len;
    frames_[end_++] = mbuf;
}

void SegmentFrames::send(const ports::QueuePair& queue) noexcept
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
