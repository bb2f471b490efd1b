#include "connection_impl.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

using namespace wire;

bool Connection::Impl::next_segment(Segment& out) noexcept
{
    out = {};
    if (reply_) {
        out = *reply_;
        reply_.reset();
        return true;
    }
    if (!run_timers()) {
        return false;
    }
    if (syn_due_) {
        write_syn(out);
        return true;
    }
    if (is_open()) {
        return next_when_open(out);
    }
    if (state_ == State::kTimeWait && receiver_.acknowledgment_due(now_)) {
        write_acknowledgment(out);
        return true;
    }
    return false;
}

void Connection::Impl::look_for_room() noexcept
{
    if (settings_.store != nullptr) {
        receiver_.on_room(static_cast<Offset>(settings_.store->room_end()));
    }
}

bool Connection::Impl::next_when_open(Segment& out) noexcept
{
    look_for_room();
    // News about holes goes alone: SACK blocks would not fit beside a full payload.
    const bool due = receiver_.acknowledgment_due(now_);
    if (due && (receiver_.acknowledgments_due() > 1 || receiver_.has_sack_news())) {
        write_acknowledgment(out);
        return true;
    }
    Transmission sent;
    if (sender_.next(now_, sent)) {
        write_data(sent, out);
        return true;
    }
    if (due) {
        write_acknowledgment(out);
        return true;
    }
    return false;
}

void Connection::Impl::write_common(Segment& out, Offset at) noexcept
{
    TcpHeader& header = out.header;
    header.sequence = sequence_of(at, send_base_);
    header.acknowledgment = sequence_of(receiver_.next(), receive_base_);
    header.window = receiver_.window_field();
    header.flags |= kTcpAck | (ecn_ && echo_congestion_ ? kTcpEce : 0);
    if (timestamps_) {
        header.options.timestamps = {timestamp(), recent_timestamp_};
    }
}

void Connection::Impl::write_data(const Transmission& sent, Segment& out) noexcept
{
    write_common(out, sent.offset);
    out.payload_bytes = sent.bytes - (sent.fin ? 1 : 0);
    out.packet_payload_bytes = std::min(out.payload_bytes, sender_.segment_bytes());
    out.stream_offset = static_cast<std::uint64_t>(std::max<Offset>(sent.offset, 0));
    out.retransmission = sent.retransmission;
    if (faulty(Fault::kWrongRetransmitOffset) && sent.retransmission) {
        out.stream_offset += sender_.segment_bytes();
    }
    out.header.flags |= sent.fin ? kTcpFin : 0;
    out.header.flags |= sent.push && out.payload_bytes > 0 ? kTcpPsh : 0;
    out.header.flags |= sent.congestion_window_reduced ? kTcpCwr : 0;
    out.ecn = sent.ecn_capable && out.payload_bytes > 0 ? Ecn::kCapable0 : Ecn::kNotCapable;
    receiver_.on_acknowledged();
}

void Connection::Impl::write_acknowledgment(Segment& out) noexcept
{
    write_common(out, sender_.nxt());
    TcpOptions& options = out.header.options;
    std::array<Range, kMaxSackBlocks> blocks;
    const std::size_t most = timestamps_ ? kMaxSackBlocksWithTimestamps : kMaxSackBlocks;
    const std::size_t n = receiver_.take_sack_blocks(std::span{blocks}.first(most));
    for (std::size_t i = 0; i < n; ++i) {
        options.sack[i] = {sequence_of(blocks[i].left, receive_base_),
            sequence_of(blocks[i].right, receive_base_)};
    }
    options.sack_count = static_cast<std::uint8_t>(n);
    ++info_.acks_sent;
    receiver_.on_acknowledged();
}

bool refuse(const TcpHeader& header, std::uint32_t payload_bytes, Segment& out) noexcept
{
    if ((header.flags & kTcpRst) != 0) {
        return false;
    }
    out = {};
    out.header.flags = kTcpRst;
    if ((header.flags & kTcpAck) != 0) {
        out.header.sequence = header.acknowledgment;
        return true;
    }
    const std::uint32_t length = payload_bytes + ((header.flags & kTcpSyn) != 0 ? 1 : 0) +
                                 ((header.flags & kTcpFin) != 0 ? 1 : 0);
    out.header.flags |= kTcpAck;
    out.header.acknowledgment = header.sequence + length;
    return true;
}

}  // namespace dpdkperf::tcp
