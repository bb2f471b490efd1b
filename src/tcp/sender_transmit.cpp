#include "sender.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

namespace {

constexpr Offset kPushEvery = 65536;
// Zero-length probes before one with a byte: Linux's form first, which costs nothing; some stacks
// do not answer it (RFC 9293, 3.8.6.1 wants an octet).
constexpr std::uint32_t kEmptyProbes = 3;
// Linux 6.1, tcp_update_skb_after_send(): the first ten segments are not paced.
constexpr std::uint64_t kUnpacedSegments = 10;

}  // namespace

bool Sender::next(Moment now, Transmission& out) noexcept
{
    now_ = now;
    out = {};
    wants_to_send_ = false;
    if (next_forced(out) || next_persist(out)) {
        return true;
    }
    if (!pacer_.ready(now)) {
        wants_to_send_ = true;
        return false;
    }
    return next_lost(out) || next_new(out);
}

std::uint32_t Sender::room() const noexcept
{
    if (faulty(Fault::kCwndIgnored)) {
        return board_.free_slots();
    }
    return cwnd() > pipe() ? cwnd() - pipe() : 0;
}

bool Sender::next_forced(Transmission& out) noexcept
{
    // The first slot holds up everything: neither pacing nor cwnd may.
    if (board_.out() > 0 && board_.is_lost(board_.first()) &&
        !board_.is_retransmitted(board_.first())) {
        forced_ = board_.first();
    }
    if (!forced_) {
        return false;
    }
    const std::uint64_t slot = *forced_;
    forced_.reset();
    if (slot < board_.first() || slot >= board_.end() || !board_.is_lost(slot) ||
        board_.is_retransmitted(slot) || !rack_.has_room(board_)) {
        return false;
    }
    send_lost({slot, 1}, out);
    return true;
}

bool Sender::next_lost(Transmission& out) noexcept
{
    if (board_.lost() == board_.retransmitted() || !rack_.has_room(board_)) {
        return false;
    }
    const std::uint32_t quota = std::min(room(), burst_slots());
    if (quota == 0) {
        limited_by(Limit::kCwnd);
        return false;
    }
    auto run = board_.next_lost(quota);
    if (!run) {
        return false;
    }
    // Within the peer's window, except for the first slot, which the peer has to take (risk: a
    // window that shrank).
    while (run->count > 1 && board_.bytes_of(run->slot, run->count).right > window_end()) {
        --run->count;
    }
    if (run->slot != board_.first() && board_.bytes_of(run->slot, 1).right > window_end() &&
        !faulty(Fault::kPeerWindowIgnored)) {
        return false;
    }
    send_lost(*run, out);
    return true;
}

void Sender::send_lost(const Scoreboard::Run& run, Transmission& out) noexcept
{
    const Range bytes = board_.bytes_of(run.slot, run.count);
    const std::uint32_t now_us = clock_us();
    board_.sent_again(run.slot, run.count, now_us);
    rack_.on_retransmission(run.slot, run.count, now_us);
    prr_.on_sent(run.count);
    undo_retransmissions_ += run.count;
    if (!first_retransmission_ms_) {
        first_retransmission_ms_ = clock_ms();
    }
    out.offset = bytes.left;
    out.bytes = static_cast<std::uint32_t>(bytes.right - bytes.left);
    out.fin = fin_ && bytes.right > stream_end_;
    out.push = bytes.right == board_.nxt();
    out.retransmission = true;
    info_.segments_retransmitted += run.count;
    info_.bytes_retransmitted += out.bytes - (out.fin ? 1 : 0);
    paced(out.bytes);
    if (retransmission_at_ == kNever) {
        arm_retransmission();
    }
}

bool Sender::next_persist(Transmission& out) noexcept
{
    if (!persist_due_ || (faulty(Fault::kProbeBlockedByCwnd) && room() == 0)) {
        return false;
    }
    persist_due_ = false;
    const Offset una = board_.una();
    const Offset fits = std::min(window_end(), limit());
    if (board_.out() > 0 && !persist_byte_out_) {
        return false;
    }
    if (fits > board_.nxt()) {  // the window is open, only too small for a whole slot
        send_new(board_.next_start(), std::min(fits, board_.slot_end(board_.next_start())), out);
        return true;
    }
    out.offset = una - 1;
    if (persists_ <= kEmptyProbes) {
        return true;
    }
    if (!persist_byte_out_ && limit() > una) {
        send_new(una, una + 1, out);
        persist_byte_out_ = true;
        retransmission_at_ = probe_at_ = kNever;
        return true;
    }
    out.offset = una;
    out.bytes = 1;
    out.fin = fin_ && una == stream_end_;
    return true;
}

// Where the next new segment ends that begins at `from`, with at most `quota` slots; not behind
// nxt(): nothing may be sent now.
Offset Sender::end_of_new(Offset from, std::uint32_t quota) noexcept
{
    const bool window_counts = !faulty(Fault::kPeerWindowIgnored);
    const Offset sendable = window_counts ? std::min(limit(), window_end()) : limit();
    const Offset slot_end = board_.slot_end(from);
    if (sendable >= slot_end) {
        const Offset slots =
            std::min<Offset>((sendable - slot_end) / board_.slot_bytes() + 1, quota);
        return slot_end + (slots - 1) * board_.slot_bytes();
    }
    if (sendable <= board_.nxt()) {
        return from;
    }
    // A part of a slot: the end of the data (Nagle's rule, RFC 9293, 3.7.4), or all that the peer's
    // window has room for (SWS avoidance, 3.8.6.2.1).
    if (sendable == limit()) {
        return fin_ || setup_.no_delay || board_.out() == 0 ? sendable : from;
    }
    return static_cast<std::uint64_t>(sendable - from) >= max_window_ / 2 ? sendable : from;
}

bool Sender::next_new(Transmission& out) noexcept
{
    adapt_slots();
    if (limit() <= board_.nxt()) {
        limited_by(Limit::kSender);
        return false;
    }
    const bool probe = probe_new_data_;
    const std::uint32_t quota =
        std::min(std::min(room() + (probe ? 1 : 0), burst_slots()), board_.free_slots());
    if (quota == 0 || waits_for_empty_network()) {
        limited_by(Limit::kCwnd);
        return false;
    }
    const Offset from = board_.next_start();
    const Offset to = end_of_new(from, quota);
    if (to <= board_.nxt()) {
        const bool by_window = window_end() < std::min(limit(), board_.slot_end(from));
        limited_by(by_window ? Limit::kPeerWindow : Limit::kSender);
        if (by_window && (board_.out() == 0 || persist_byte_out_)) {
            arm_persist();
        }
        return false;
    }
    send_new(from, to, out);
    if (probe) {
        probe_new_data_ = false;
        probe_end_ = board_.nxt();
    }
    return true;
}

void Sender::send_new(Offset from, Offset to, Transmission& out) noexcept
{
    const Offset old = board_.nxt();
    const std::uint64_t slot = board_.slot_of(from);
    const auto slots = static_cast<std::uint32_t>(board_.slot_of(to - 1) - slot + 1);
    rack_.rewind(slot);
    board_.sent_new(to, clock_us());
    prr_.on_sent(slots);
    out.offset = from;
    out.bytes = static_cast<std::uint32_t>(to - from);
    out.fin = fin_ && to > stream_end_;
    out.push = to >= stream_end_ || from / kPushEvery != to / kPushEvery;
    out.congestion_window_reduced = tell_reduced_;
    out.ecn_capable = setup_.ecn && from == old;
    tell_reduced_ = false;
    info_.segments_sent += slots;
    info_.bytes_sent +=
        static_cast<std::uint64_t>(std::min(to, stream_end_) - std::min(old, stream_end_));
    info_.bytes_retransmitted += static_cast<std::uint64_t>(old - from);
    info_.segments_retransmitted += from < old ? 1 : 0;
    paced(out.bytes);
    if (retransmission_at_ == kNever) {  // RFC 6298, (5.1)
        arm_retransmission();
    }
    arm_probe();
}

std::uint32_t Sender::burst_slots() const noexcept
{
    if (segment_bytes_ < board_.slot_bytes()) {
        return 1;  // a slot is several packets already
    }
    return std::max(setup_.max_burst_bytes / board_.slot_bytes(), 1U);
}

std::uint64_t Sender::pacing_rate() const noexcept
{
    std::uint64_t rate = 0;
    if (rtt_.has_sample()) {
        const std::uint64_t window = std::uint64_t{std::max(cwnd(), pipe())} * board_.slot_bytes();
        // Linux 6.1, tcp_update_pacing_rate(): 200 % in slow start, then 120 %.
        const std::uint64_t percent = cwnd() < congestion_.ssthresh() / 2 ? 200 : 120;
        rate = window * percent * 10'000 / static_cast<std::uint64_t>(rtt_.srtt().count());
    }
    const std::uint64_t most = setup_.max_pacing_bytes_per_second;
    return most != 0 && (rate == 0 || rate > most) ? most : rate;
}

void Sender::paced(std::uint32_t bytes) noexcept
{
    if (rate_is_old_) {
        rate_is_old_ = false;
        rate_ = pacing_rate();
    }
    if (rate_ > 0 && info_.segments_sent > kUnpacedSegments) {
        pacer_.on_sent(bytes, rate_, now_);
    }
}

void Sender::limited_by(Limit limit) noexcept
{
    if (limit == Limit::kCwnd) {
        cwnd_limited_ = true;
        cwnd_limited_until_ = board_.nxt();
    } else if (board_.una() > cwnd_limited_until_) {
        cwnd_limited_ = false;
    }
    if (limit != limit_) {
        account_limit();
        limit_ = limit;
    }
}

void Sender::account_limit() noexcept
{
    const auto time = std::chrono::duration_cast<Microseconds>(now_ - limit_since_);
    switch (limit_) {
    case Limit::kNone:
        break;
    case Limit::kSender:
        info_.limited_by_sender += time;
        break;
    case Limit::kCwnd:
        info_.limited_by_cwnd += time;
        break;
    case Limit::kPeerWindow:
        info_.limited_by_peer_window += time;
        break;
    }
    limit_since_ = now_;
}

}  // namespace dpdkperf::tcp
