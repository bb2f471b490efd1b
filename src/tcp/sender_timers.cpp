#include "sender.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

namespace {

// Linux 6.1, tcp_retries2: unanswered timeouts before a connection is given up.
constexpr std::uint32_t kMaxTimeouts = 15;
// RFC 8985, 7.2: what a peer may add by delaying its ACK.
constexpr Microseconds kMaxAckDelay = std::chrono::milliseconds{200};
// A reader that the scheduler keeps waiting holds back the ACK of a window that it has not read.
// Linux 6.1 adds as much (TCP_TIMEOUT_MIN, 250 Hz).
constexpr Microseconds kReaderDelay = std::chrono::milliseconds{8};
constexpr Microseconds kMaxPersist = std::chrono::seconds{60};

}  // namespace

bool Sender::on_time(Moment now) noexcept
{
    now_ = now;
    if (next_timer() > now) {
        return true;
    }
    rate_is_old_ = true;
    if (reordering_at_ <= now && run_rack() > 0) {
        enter_recovery();
        if (state_ == State::kRecovery) {
            prr_.on_ack(0, pipe(), false);
        }
    }
    if (probe_at_ <= now) {
        on_probe_timeout();
    }
    if (retransmission_at_ <= now) {
        on_retransmission_timeout();
    }
    if (persist_at_ <= now) {
        on_persist_timeout();
    }
    if (raise_at_ <= now) {
        start_size_test();
    }
    return !given_up_ && timeouts_ <= kMaxTimeouts && persists_unanswered_ <= kMaxTimeouts;
}

// A timer for what has had no answer for `waited` has run out. True: the connection is given up.
// The next such timer then waits no longer than the user wants to.
bool Sender::user_gives_up(bool first, Microseconds waited) noexcept
{
    if (setup_.user_timeout.count() == 0) {
        return false;
    }
    if (first) {
        give_up_at_ = now_ - waited + setup_.user_timeout;
    }
    given_up_ = give_up_at_ <= now_;
    return given_up_;
}

void Sender::arm_retransmission() noexcept
{
    retransmission_at_ = now_ + rtt_.rto();
}

// RFC 8985, 7.2. Without SACK a probe's answer would say nothing.
void Sender::arm_probe() noexcept
{
    probe_at_ = kNever;
    if (!setup_.sack || state_ != State::kOpen || probe_end_ || board_.out() == 0 ||
        board_.sacked() > 0 || board_.lost() > 0 || faulty(Fault::kNoTlp)) {
        return;
    }
    Microseconds timeout = std::chrono::seconds{1};
    if (rtt_.has_sample()) {
        timeout = 2 * rtt_.srtt() + (board_.out() == 1 ? kMaxAckDelay : kReaderDelay);
    }
    probe_at_ = std::min(now_ + timeout, retransmission_at_);
}

// RFC 8985, 7.3: new data if there is any, else the last slot again.
void Sender::on_probe_timeout() noexcept
{
    probe_at_ = kNever;
    if (state_ != State::kOpen || board_.out() == 0 || board_.sacked() > 0 || board_.lost() > 0) {
        return;
    }
    ++info_.loss_probes;
    const Offset from = board_.next_start();
    probe_new_data_ = !waits_for_empty_network() && end_of_new(from, 1) > board_.nxt();
    probe_is_retransmission_ = !probe_new_data_;
    if (probe_is_retransmission_) {
        board_.mark_lost(board_.end() - 1);
        forced_ = board_.end() - 1;
        probe_end_ = board_.nxt();
    }
    arm_retransmission();
}

void Sender::on_retransmission_timeout() noexcept
{
    retransmission_at_ = kNever;
    if (board_.out() == 0 || user_gives_up(timeouts_ == 0, rtt_.rto())) {
        return;
    }
    ++info_.timeouts;
    if (board_.is_sacked(board_.first()) && !faulty(Fault::kRenegingIgnored)) {
        ++info_.reneged;  // SACKed, and yet not acknowledged: the peer has dropped it
        board_.forget_sacks();
    }
    const bool same_event = (state_ == State::kLoss && timeouts_ > 0) ||
                            (state_ == State::kRecovery && board_.una() < recovery_point_);
    if (same_event) {
        state_ = State::kLoss;
        recovery_point_ = board_.nxt();
    } else {
        begin_episode(State::kLoss);
    }
    congestion_.on_timeout(now_, same_event);
    ++timeouts_;
    rtt_.back_off();
    note_black_hole();
    board_.mark_all_lost();
    rack_.on_timeout(board_);
    duplicate_acks_ = 0;
    forced_ = board_.first();
    probe_end_.reset();
    probe_at_ = reordering_at_ = kNever;
    arm_retransmission();
    retransmission_at_ = std::min(retransmission_at_, give_up_at_);
}

// RFC 9293, 3.8.6.1: a window that stays closed is asked for at growing intervals.
void Sender::on_persist_timeout() noexcept
{
    if (user_gives_up(persists_unanswered_ == 0, Microseconds{0})) {
        return;
    }
    ++persists_;
    ++persists_unanswered_;
    ++info_.zero_window_probes;
    persist_due_ = true;
    const auto wait = rtt_.rto() * (1LL << std::min(persists_, 16U));
    persist_at_ = std::min(now_ + std::min<Microseconds>(wait, kMaxPersist), give_up_at_);
}

void Sender::arm_persist() noexcept
{
    if (persist_at_ == kNever) {
        persist_at_ = now_ + rtt_.rto();
    }
}

Moment Sender::next_deadline() const noexcept
{
    if (forced_ || persist_due_) {
        return now_;
    }
    return wants_to_send_ ? std::min(next_timer(), pacer_.due()) : next_timer();
}

Moment Sender::next_timer() const noexcept
{
    return std::min({retransmission_at_, probe_at_, reordering_at_, persist_at_, raise_at_});
}

}  // namespace dpdkperf::tcp
