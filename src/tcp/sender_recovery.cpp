#include "sender.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

std::uint32_t Sender::detect_losses(const Progress& p) noexcept
{
    const std::uint32_t lost = setup_.sack ? run_rack() : detect_without_sack(p);
    if (lost > 0) {
        enter_recovery();
    }
    return lost;
}

std::uint32_t Sender::run_rack() noexcept
{
    const std::uint32_t window_us = reordering_.window_us(rtt_, in_episode(), board_.sacked());
    const Rack::Detected d = rack_.detect(board_, clock_us(), window_us);
    reordering_at_ = d.check_after_us ? now_ + Microseconds{*d.check_after_us} : kNever;
    if (faulty(Fault::kNoRackTimer)) {
        reordering_at_ = kNever;
    }
    return d.slots;
}

// NewReno (RFC 6582): three duplicate ACKs, or an ACK that stops short of the recovery point, mean
// that the first slot is lost.
std::uint32_t Sender::detect_without_sack(const Progress& p) noexcept
{
    if (board_.out() == 0 || board_.is_lost(board_.first())) {
        return 0;
    }
    const bool third_duplicate =
        state_ == State::kOpen && duplicate_acks_ >= 3 && board_.una() > recovery_point_;
    const bool partial = state_ == State::kRecovery && p.advanced;
    if (!third_duplicate && !partial) {
        return 0;
    }
    board_.mark_lost(board_.first());
    return 1;
}

void Sender::begin_episode(State state) noexcept
{
    state_ = state;
    recovery_point_ = board_.nxt();
    before_ = congestion_;
    undo_una_ = board_.una();
    undo_retransmissions_ = 0;
    first_retransmission_ms_.reset();
}

void Sender::enter_recovery() noexcept
{
    if (state_ == State::kRecovery || state_ == State::kLoss) {
        return;
    }
    ++info_.recoveries;
    if (state_ == State::kReduced) {  // cwnd has been reduced in this round trip
        state_ = State::kRecovery;
        recovery_point_ = board_.nxt();
        return;
    }
    begin_episode(State::kRecovery);
    congestion_.on_congestion(now_);
    prr_.start(board_.out(), congestion_.ssthresh());
}

void Sender::enter_reduced() noexcept
{
    ++info_.ecn_reductions;
    begin_episode(State::kReduced);
    before_.reset();  // a mark is never spurious
    congestion_.on_congestion(now_);
    prr_.start(board_.out(), congestion_.ssthresh());
    ecn_point_ = board_.nxt();
    tell_reduced_ = true;
}

// RFC 3168, 6.1.2: at most one reduction per window of data.
void Sender::on_ece(const AckIn& ack) noexcept
{
    if (setup_.ecn && ack.ece && state_ == State::kOpen && board_.out() > 0 &&
        (!ecn_point_ || board_.una() >= *ecn_point_)) {
        enter_reduced();
    }
}

void Sender::leave_if_recovered(const Progress& p) noexcept
{
    if (in_episode() && p.advanced && board_.una() >= recovery_point_) {
        end_episode();
    }
}

// What came before stays known: a D-SACK may still show that it was all for nothing.
void Sender::end_episode() noexcept
{
    if (state_ != State::kReduced) {
        reordering_.on_recovery_end();
    }
    state_ = State::kOpen;
    duplicate_acks_ = 0;
}

// Eifel (RFC 3522): the segment that filled the first hole carries a timestamp from before the
// first retransmission. D-SACK (RFC 3708): every retransmission has arrived twice.
bool Sender::undo_if_spurious(const AckIn& ack, const Progress& p) noexcept
{
    if (!before_ || !first_retransmission_ms_ || faulty(Fault::kNoUndo)) {
        return false;
    }
    const bool eifel = in_episode() && p.advanced && board_.una() > undo_una_ && ack.echo_ms &&
                       static_cast<std::int32_t>(*ack.echo_ms - *first_retransmission_ms_) < 0;
    const bool all_arrived_twice = p.duplicate_sack && undo_retransmissions_ <= 0;
    if (!eifel && !all_arrived_twice) {
        return false;
    }
    ++info_.undone;
    // What was taken for lost had been overtaken (Linux 6.1, tcp_try_undo_partial()): from now on
    // RACK waits.
    if (highest_sacked_ > p.first_before + 1) {
        reordering_.note_reordering(
            static_cast<std::uint32_t>(highest_sacked_ - p.first_before - 1));
    }
    congestion_.restore(*before_);
    before_.reset();
    board_.unmark_lost();
    rack_.rewind(board_.first());
    forced_.reset();
    duplicate_acks_ = 0;
    rtt_.reset_backoff();
    state_ = State::kOpen;
    return true;
}

}  // namespace dpdkperf::tcp
