#include "connection_impl.hpp"
#include "dpdkperf/tcp/segment_size.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

using namespace wire;

namespace {

// Linux 6.1: tcp_syn_retries.
constexpr std::uint32_t kMaxSynTimeouts = 6;
// SYNs sent at once because a stale connection of the peer was in the way.
constexpr std::uint32_t kMaxExtraSyns = 3;
// RFC 7323, 2.3.
constexpr std::uint8_t kMaxShift = 14;

// RFC 9293, 3.7.1 (MUST-15).
constexpr std::uint32_t default_mss(bool ipv4)
{
    return ipv4 ? 536 : 1220;
}

}  // namespace

std::uint32_t Connection::Impl::own_mss() const noexcept
{
    return tcp::own_mss(settings_.mtu_bytes, settings_.ipv4, settings_.max_segment_bytes);
}

std::uint32_t Connection::Impl::send_segment_bytes() const noexcept
{
    // A MSS of 0 is what broken peers send; Linux takes it for the default too.
    const std::uint32_t told =
        peer_mss_ == 0 ? default_mss(settings_.ipv4) : std::uint32_t{peer_mss_};
    return full_payload_bytes(std::min(told, own_mss()), timestamps_);
}

void Connection::Impl::reset_reply(std::uint32_t sequence) noexcept
{
    Segment reset;
    reset.header.sequence = sequence;
    reset.header.flags = kTcpRst;
    if (state_ != State::kSynSent && state_ != State::kListen) {
        reset.header.flags |= kTcpAck;
        reset.header.acknowledgment = sequence_of(receiver_.next(), receive_base_);
    }
    reply_ = reset;
}

void Connection::Impl::in_listen(const Arrival& arrival) noexcept
{
    const std::uint8_t flags = arrival.header.flags;
    if ((flags & (kTcpRst | kTcpAck | kTcpSyn)) != kTcpSyn) {
        ++info_.rejected.handshake;
        if ((flags & kTcpRst) == 0 && (flags & kTcpAck) != 0) {
            reset_reply(arrival.header.acknowledgment);
        }
        return;
    }
    take_syn(arrival.header);
    state_ = State::kSynReceived;
    syn_due_ = true;
}

// The peer remembers an earlier connection: the reset clears it, and there is no reason to wait a
// second for the next SYN (gVisor does the same).
void Connection::Impl::refuse_stale_ack(const TcpHeader& header) noexcept
{
    ++info_.rejected.handshake;
    if ((header.flags & kTcpRst) != 0) {
        return;
    }
    reset_reply(header.acknowledgment);
    if (syns_sent_ > 0 && extra_syns_ < kMaxExtraSyns) {
        ++extra_syns_;
        syn_due_ = true;
    }
}

// RFC 9293, 3.10.7.3.
void Connection::Impl::in_syn_sent(const Arrival& arrival) noexcept
{
    const TcpHeader& header = arrival.header;
    const bool has_ack = (header.flags & kTcpAck) != 0;
    if (has_ack && (header.acknowledgment != send_base_ || syns_sent_ == 0)) {
        refuse_stale_ack(header);
        return;
    }
    if ((header.flags & kTcpRst) != 0) {
        if (has_ack) {
            close_with(CloseReason::kRefused);
        } else {
            ++info_.rejected.handshake;
        }
        return;
    }
    if ((header.flags & kTcpSyn) == 0) {
        ++info_.rejected.handshake;
        return;
    }
    take_syn(header);
    if (!has_ack) {  // simultaneous open
        state_ = State::kSynReceived;
        syn_due_ = true;
        return;
    }
    std::uint64_t window = header.window;  // never scaled in a SYN (RFC 7323, 2.2)
    if (faulty(Fault::kWindowScaledInSyn)) {
        window <<= send_shift_;
    }
    establish(window);
    receiver_.acknowledge_now();
}

// RFC 9293, 3.10.7.4: a withdrawn SYN takes a listener back to LISTEN.
void Connection::Impl::reset_in_syn_received(Offset at) noexcept
{
    if (at != 0) {
        ++info_.rejected.reset_inexact;
    } else if (passive_) {
        const Settings settings = settings_;
        restart(settings, now_);
        passive_ = true;
        state_ = State::kListen;
    } else {
        close_with(CloseReason::kRefused);
    }
}

// True if the segment may complete the handshake.
bool Connection::Impl::acceptable_in_syn_received(const TcpHeader& header) noexcept
{
    const bool is_syn = (header.flags & kTcpSyn) != 0;
    const bool is_reset = (header.flags & kTcpRst) != 0;
    const bool has_ack = (header.flags & kTcpAck) != 0;
    const Offset at = offset_of(header.sequence, receive_base_, 0);
    if (is_syn && at == -1 && !is_reset) {
        syn_due_ = syn_due_ || !has_ack;  // the peer repeats its SYN
        return has_ack;                   // simultaneous open: its SYN-ACK (RFC 9293, figure 8)
    }
    if (at < 0 || at >= receiver_.window_end()) {
        ++info_.rejected.outside_window;
        syn_due_ = syn_due_ || !is_reset;
        return false;
    }
    if (is_reset) {
        reset_in_syn_received(at);
        return false;
    }
    if (is_syn || !has_ack) {
        ++(is_syn ? info_.rejected.unexpected_syn : info_.rejected.no_ack);
        return false;
    }
    return true;
}

void Connection::Impl::in_syn_received(const Arrival& arrival) noexcept
{
    const TcpHeader& header = arrival.header;
    const bool is_syn = (header.flags & kTcpSyn) != 0;
    if (!acceptable_in_syn_received(header)) {
        return;
    }
    if (header.acknowledgment != send_base_) {
        ++info_.rejected.handshake;
        reset_reply(header.acknowledgment);
        return;
    }
    establish(std::uint64_t{header.window} << (is_syn ? 0 : send_shift_));
    if (is_syn) {
        receiver_.acknowledge_now();
    } else {
        in_synchronized(arrival);  // it may carry data, or a FIN
    }
}

// Addresses of the peer's stream, and what its options and ours agree on.
void Connection::Impl::take_syn(const TcpHeader& header) noexcept
{
    const TcpOptions& options = header.options;
    receive_base_ = header.sequence + 1;
    peer_mss_ = options.mss.value_or(0);
    info_.rejected.tiny_mss += peer_mss_ != 0 && peer_mss_ < kMinPeerMss ? 1U : 0U;
    scaling_ = settings_.window_scaling && options.window_scale.has_value();
    send_shift_ = scaling_ ? std::min(*options.window_scale, kMaxShift) : std::uint8_t{0};
    timestamps_ = settings_.timestamps && options.timestamps.has_value();
    sack_ = settings_.sack && options.sack_permitted;
    if (timestamps_) {
        recent_timestamp_ = options.timestamps->value;
        recent_timestamp_at_ = now_;
    }
    // RFC 3168, 6.1.1: a SYN asks with both bits, a SYN-ACK agrees with ECE alone.
    const std::uint8_t ecn_bits = header.flags & (kTcpEce | kTcpCwr);
    const bool answer = (header.flags & kTcpAck) != 0;
    ecn_ = answer ? settings_.ecn && ecn_bits == kTcpEce : ecn_bits == (kTcpEce | kTcpCwr);
    const std::uint8_t shift = scaling_ ? receive_shift_ : std::uint8_t{0};
    const std::uint64_t window =
        scaling_ ? settings_.receive_window_bytes
                 : std::min<std::uint64_t>(settings_.receive_window_bytes, 65535);
    const std::uint64_t most = std::uint64_t{65535} << shift;
    const Offset room_end =
        settings_.store == nullptr ? kEndless : static_cast<Offset>(settings_.store->room_end());
    receiver_.open({.window_bytes = std::min(window, most) >> shift << shift,
        .shift = shift,
        .sack = sack_,
        .room_end = room_end});
}

void Connection::Impl::establish(std::uint64_t peer_window_bytes) noexcept
{
    syn_timeout_at_ = kNever;
    syn_due_ = false;
    state_ = State::kEstablished;
    std::optional<Microseconds> rtt;
    if (syns_sent_ == 1) {  // Karn's rule
        rtt = std::chrono::duration_cast<Microseconds>(now_ - syn_sent_at_);
    }
    Congestion::Algorithm algorithm = Cubic{};
    if (settings_.congestion == Algorithm::kReno) {
        algorithm = Reno{};
    } else if (settings_.congestion == Algorithm::kFixed) {
        algorithm = FixedWindow{std::max(settings_.fixed_window_segments, 1U)};
    }
    sender_.open({.segment_bytes = send_segment_bytes(),
                     .max_burst_bytes = settings_.max_burst_bytes,
                     .peer_window_bytes = peer_window_bytes,
                     .max_pacing_bytes_per_second = settings_.max_pacing_rate.bps() / 8,
                     .user_timeout = settings_.user_timeout,
                     .sack = sack_,
                     .timestamps = timestamps_,
                     .ecn = ecn_,
                     .no_delay = settings_.no_delay,
                     .one_slot = syn_timeouts_ > 1},
        algorithm, rtt, now_);
    sender_.offer(offered_);
    if (close_wanted_) {
        on_close();
    }
}

// RFC 6298, (2.1) and (5.5).
void Connection::Impl::on_syn_timeout() noexcept
{
    syn_timeout_at_ = kNever;
    if (++syn_timeouts_ > kMaxSynTimeouts) {
        close_with(CloseReason::kTimedOut);
        return;
    }
    syn_due_ = true;
}

void Connection::Impl::write_syn(Segment& out) noexcept
{
    const bool answer = state_ == State::kSynReceived;
    TcpHeader& header = out.header;
    header.sequence = send_base_ - 1;
    header.flags = kTcpSyn;
    header.window =
        static_cast<std::uint16_t>(std::min<std::uint64_t>(settings_.receive_window_bytes, 65535));
    header.options.mss = static_cast<std::uint16_t>(own_mss());
    header.options.sack_permitted = answer ? sack_ : settings_.sack;
    if (answer ? scaling_ : settings_.window_scaling) {
        header.options.window_scale = receive_shift_;
    }
    if (answer ? timestamps_ : settings_.timestamps) {
        header.options.timestamps = {timestamp(), answer ? recent_timestamp_ : 0};
    }
    if (answer) {
        header.flags |= kTcpAck | (ecn_ ? kTcpEce : 0);
        header.acknowledgment = receive_base_;
    } else if (settings_.ecn && syn_timeouts_ == 0) {  // RFC 3168, 6.1.1.1: not when repeated
        header.flags |= kTcpEce | kTcpCwr;
    }
    info_.segments_retransmitted += syns_sent_ > 0 ? 1 : 0;
    ++syns_sent_;
    syn_sent_at_ = now_;
    syn_timeout_at_ = now_ + RttEstimator::kInitialRto * (1 << std::min(syn_timeouts_, 6U));
    syn_due_ = false;
}

}  // namespace dpdkperf::tcp
