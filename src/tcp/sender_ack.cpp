#include "sender.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

void Sender::on_ack(const AckIn& ack, Moment now) noexcept
{
    now_ = now;
    rate_is_old_ = true;
    note_window(ack.sequence, ack.ack, ack.window_bytes);
    if (nothing_in_flight() && ack.sack.empty()) {
        return;  // there is nothing it could tell about
    }
    // What is acknowledged left while cwnd was in the way, and not only its predecessors.
    const bool limited = cwnd_limited_ && board_.una() < cwnd_limited_until_;
    const Progress p = update_board(ack);
    if (p.advanced) {
        info_.bytes_acknowledged = static_cast<std::uint64_t>(std::min(board_.una(), stream_end_));
        timeouts_ = 0;
        rtt_.reset_backoff();
        persist_byte_out_ = false;
        note_size_passes();
    }
    const auto rtt = sample_rtt(ack, p);
    note_reordering(p);
    finish_probe(ack, p);
    if (!undo_if_spurious(ack, p)) {
        leave_if_recovered(p);
    }
    const std::uint32_t lost = detect_losses(p);
    on_ece(ack);
    if (state_ == State::kRecovery || state_ == State::kReduced) {
        prr_.on_ack(p.delivered_slots, pipe(), p.advanced && lost == 0);
    } else if (p.advanced) {
        congestion_.on_ack({.now = now,
                               .delivered_slots = p.delivered_slots,
                               .rtt = rtt,
                               .srtt = rtt_.srtt(),
                               .una = board_.una(),
                               .nxt = board_.nxt()},
            limited || state_ == State::kLoss);
    }
    rearm(p);
}

void Sender::on_window(Offset sequence, std::uint64_t window_bytes) noexcept
{
    note_window(sequence, board_.una(), window_bytes);
}

// RFC 9293, 3.10.7.4: only a segment that is not older than the last one updates the window.
void Sender::note_window(Offset sequence, Offset acknowledged, std::uint64_t window_bytes) noexcept
{
    const bool fresh = sequence > wl_sequence_ ||
                       (sequence == wl_sequence_ && acknowledged >= wl_ack_) ||
                       faulty(Fault::kOldWindowUpdate);
    window_before_ = window_;
    if (!fresh || acknowledged < board_.una()) {
        return;
    }
    const bool was_closed = window_end() <= board_.una();
    window_ = window_bytes;
    wl_sequence_ = sequence;
    wl_ack_ = acknowledged;
    max_window_ = std::max(max_window_, window_);
    persists_unanswered_ = 0;
    if (window_ > 0) {
        persists_ = 0;
        persist_at_ = kNever;
        if (was_closed && persist_byte_out_ && acknowledged <= board_.una()) {
            // The probe's byte was not taken: it goes out again as part of its slot.
            persist_byte_out_ = false;
            if (!board_.is_lost(board_.first())) {
                board_.mark_lost(board_.first());
            }
        }
    }
}

bool Sender::accept_retransmission(const Sent& sent, const AckIn& ack) const noexcept
{
    // RFC 8985, step 2: this ACK may be for the first transmission.
    if (ack.echo_ms && static_cast<std::int32_t>(*ack.echo_ms - timestamp_of(sent)) < 0) {
        return false;
    }
    return Microseconds{clock_us() - sent.at_us} >= rtt_.minimum();
}

std::uint32_t Sender::timestamp_of(const Sent& sent) const noexcept
{
    const std::uint32_t age_us = clock_us() - sent.at_us;
    return static_cast<std::uint32_t>((since_epoch().count() - age_us) / 1000);
}

Sender::Progress Sender::update_board(const AckIn& ack) noexcept
{
    Progress p;
    p.first_before = board_.first();
    p.highest_sacked_before = highest_sacked_;
    if (setup_.sack) {
        take_sack_blocks(ack, p);
    }
    if (ack.ack > board_.una()) {
        const auto accept = [&](const Sent& sent) { return accept_retransmission(sent, ack); };
        p.advanced = true;
        p.delivered.merge(board_.acknowledge(ack.ack, accept));
        highest_sacked_ = std::max(highest_sacked_, board_.first());
    }
    p.delivered_slots = p.delivered.slots;
    if (!setup_.sack) {
        count_duplicate_acks(ack, p);
    }
    return p;
}

void Sender::take_sack_blocks(const AckIn& ack, Progress& p) noexcept
{
    const auto accept = [&](const Sent& sent) { return accept_retransmission(sent, ack); };
    for (std::size_t i = 0; i < ack.sack.size(); ++i) {
        const Range& block = ack.sack[i];
        if (is_duplicate_sack(ack, i)) {
            p.duplicate_sack = true;
            take_duplicate_sack(block);
            continue;
        }
        if (block.left >= block.right || block.left < board_.una() || block.right > board_.nxt()) {
            ++info_.rejected.sack_block;
            continue;
        }
        Range taken = block;
        if (faulty(Fault::kSackRoundedOut)) {
            taken.left = std::max(taken.left - board_.slot_bytes() + 1, board_.una());
        }
        const Delivered d = board_.sack(taken, accept);
        if (d.slots > 0) {
            p.sacked_news = true;
            p.delivered.merge(d);
            highest_sacked_ = std::max(highest_sacked_,
                block.right == board_.nxt() ? board_.end() : board_.slot_of(block.right));
        }
    }
}

// RFC 2883, 4: the first block, if it is below the acknowledgment or within the second one. An old
// block that is not the first is merely late.
bool Sender::is_duplicate_sack(const AckIn& ack, std::size_t i) const noexcept
{
    const Range& block = ack.sack[i];
    if (i != 0 || block.left >= block.right || block.right > board_.nxt() ||
        block.left < board_.una() - static_cast<Offset>(max_window_)) {
        return false;
    }
    if (block.right <= ack.ack) {
        return true;
    }
    return ack.sack.size() > 1 && block.left >= ack.sack[1].left &&
           block.right <= ack.sack[1].right;
}

void Sender::take_duplicate_sack(const Range& block) noexcept
{
    ++info_.duplicate_sacks;
    if (faulty(Fault::kDuplicateSackIgnored)) {
        return;
    }
    if (probe_end_ && probe_is_retransmission_ && block.right >= *probe_end_) {
        probe_end_.reset();  // RFC 8985, 7.4.2: the probe was not needed
    }
    if (before_ && block.right > undo_una_) {
        const Offset slots =
            (block.right - block.left + board_.slot_bytes() - 1) / board_.slot_bytes();
        undo_retransmissions_ -= slots;
    }
    reordering_.on_duplicate_sack(board_.una(), board_.nxt());
}

// RFC 5681, 2: each duplicate ACK stands for a segment that has left the network.
void Sender::count_duplicate_acks(const AckIn& ack, Progress& p) noexcept
{
    if (p.advanced) {
        const std::uint32_t acked = p.delivered.slots;
        // One of the acknowledged slots filled the hole, the others had been counted.
        const std::uint32_t counted = std::min(duplicate_acks_, acked > 0 ? acked - 1 : 0);
        duplicate_acks_ = in_episode() ? duplicate_acks_ - counted : 0;
        p.delivered_slots = acked - counted;
        return;
    }
    p.ack_is_duplicate = ack.ack == board_.una() && !ack.carries_data && board_.out() > 0 &&
                         ack.window_bytes == window_before_;
    if (p.ack_is_duplicate && duplicate_acks_ + 1 < board_.out()) {
        ++duplicate_acks_;
        p.delivered_slots = 1;
    }
}

std::optional<Microseconds> Sender::sample_rtt(const AckIn& ack, const Progress& p) noexcept
{
    // What was sent once and is acknowledged together with a retransmission may have waited for it
    // at the receiver: no sample (Linux 6.1, tcp_clean_rtx_queue()). A retransmission itself is a
    // good one if it is what the echo answers (RFC 6298, 3).
    std::optional<Sent> sample = p.delivered.newest_original;
    if (p.delivered.retransmitted) {
        sample = p.delivered.latest_retransmission;
        const bool echoed = sample && ack.echo_ms && *ack.echo_ms == timestamp_of(*sample);
        if (!echoed && !faulty(Fault::kKarnIgnored)) {
            sample.reset();
        }
    }
    const std::uint32_t now_us = clock_us();
    std::optional<Microseconds> rtt;
    if (sample) {
        rtt = Microseconds{now_us - sample->at_us};
        rtt_.on_sample(*rtt, since_epoch());
    }
    if (p.delivered.newest_original) {
        rack_.on_delivered(*p.delivered.newest_original, now_us);
    }
    if (p.delivered.latest_retransmission) {
        rack_.on_delivered(*p.delivered.latest_retransmission, now_us);
    }
    return rtt;
}

// RFC 8985, step 3: a slot sent once has been overtaken by one that was delivered before.
void Sender::note_reordering(const Progress& p) noexcept
{
    const auto& oldest = p.delivered.oldest_original;
    if (oldest && *oldest + 1 < p.highest_sacked_before) {
        reordering_.note_reordering(
            static_cast<std::uint32_t>(p.highest_sacked_before - *oldest - 1));
    }
}

// RFC 8985, 7.4.2.
void Sender::finish_probe(const AckIn& ack, const Progress& p) noexcept
{
    if (!probe_end_ || ack.ack < *probe_end_) {
        return;
    }
    const bool arrived_twice = p.duplicate_sack || (!p.advanced && ack.sack.empty());
    if (probe_is_retransmission_ && !arrived_twice) {
        if (ack.ack == *probe_end_) {
            return;  // the next ACK will tell
        }
        if (state_ == State::kOpen) {
            congestion_.on_congestion(now_);  // the probe has repaired a loss nobody else has seen
        }
    }
    probe_end_.reset();
}

void Sender::rearm(const Progress& p) noexcept
{
    if (board_.out() == 0 || persist_byte_out_) {
        retransmission_at_ = kNever;
        probe_at_ = kNever;
        return;
    }
    if (p.advanced) {  // RFC 6298, (5.3)
        arm_retransmission();
    }
    if (p.advanced || p.sacked_news) {
        arm_probe();
    }
}

}  // namespace dpdkperf::tcp
