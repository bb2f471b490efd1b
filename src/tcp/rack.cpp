#include "rack.hpp"

#include <algorithm>
#include <cassert>

namespace dpdkperf::tcp {

namespace {

bool later(std::uint32_t a_us, std::uint32_t b_us)
{
    return static_cast<std::int32_t>(a_us - b_us) > 0;
}

}  // namespace

Rack::Rack() : storage_{std::make_unique<std::array<Run, kMaxRuns>>()}, runs_{*storage_} {}

void Rack::reset() noexcept
{
    head_ = tail_ = 0;
    cursor_ = 0;
    any_delivered_ = false;
}

void Rack::on_delivered(const Sent& sent, std::uint32_t now_us) noexcept
{
    const bool newer = !any_delivered_ || later(sent.at_us, latest_.at_us) ||
                       (sent.at_us == latest_.at_us && sent.slot > latest_.slot);
    if (newer) {
        any_delivered_ = true;
        latest_ = sent;
        rtt_us_ = now_us - sent.at_us;
    }
}

void Rack::on_retransmission(std::uint64_t slot, std::uint32_t count, std::uint32_t now_us) noexcept
{
    assert(tail_ - head_ < kMaxRuns);
    runs_[tail_++ % kMaxRuns] = {slot, count, now_us};
}

bool Rack::in_flight(const Scoreboard& board, const Run& run, std::uint64_t slot)
{
    return slot >= board.first() && slot < board.end() && board.is_retransmitted(slot) &&
           board.sent_us(slot) == run.at_us;
}

bool Rack::has_room(const Scoreboard& board) noexcept
{
    while (tail_ - head_ == kMaxRuns) {
        const Run& run = front();
        for (std::uint32_t i = 0; i < run.count; ++i) {
            if (in_flight(board, run, run.slot + i)) {
                return false;
            }
        }
        ++head_;
    }
    return true;
}

void Rack::on_timeout(const Scoreboard& board) noexcept
{
    head_ = tail_;
    cursor_ = board.end();
}

bool Rack::sent_before_delivered(std::uint64_t slot, std::uint32_t at_us) const
{
    return later(latest_.at_us, at_us) || (latest_.at_us == at_us && latest_.slot > slot);
}

Rack::Detected Rack::detect(
    Scoreboard& board, std::uint32_t now_us, std::uint32_t window_us) noexcept
{
    Detected d;
    if (any_delivered_) {
        detect_first_transmissions(board, now_us, window_us, d);
        detect_retransmissions(board, now_us, window_us, d);
    }
    return d;
}

void Rack::detect_first_transmissions(
    Scoreboard& board, std::uint32_t now_us, std::uint32_t window_us, Detected& d) noexcept
{
    cursor_ = std::max(cursor_, board.first());
    for (;;) {
        cursor_ = board.next_unmarked(cursor_);
        if (cursor_ >= board.end() || !sent_before_delivered(cursor_, board.sent_us(cursor_))) {
            return;  // what follows was sent later still
        }
        const std::int32_t left = remaining(board.sent_us(cursor_), now_us, window_us);
        if (left > 0) {
            d.check_after_us = static_cast<std::uint32_t>(left);
            return;
        }
        board.mark_lost(cursor_++);
        ++d.slots;
    }
}

void Rack::detect_retransmissions(
    Scoreboard& board, std::uint32_t now_us, std::uint32_t window_us, Detected& d) noexcept
{
    if (faulty(Fault::kLostRetransmissionKept)) {
        return;
    }
    for (; head_ != tail_; ++head_) {
        const Run& run = front();
        if (!sent_before_delivered(run.slot, run.at_us)) {
            return;
        }
        const std::int32_t left = remaining(run.at_us, now_us, window_us);
        if (left > 0) {
            const auto after = static_cast<std::uint32_t>(left);
            d.check_after_us = std::min(d.check_after_us.value_or(after), after);
            return;
        }
        for (std::uint64_t slot = run.slot; slot < run.slot + run.count; ++slot) {
            if (in_flight(board, run, slot)) {
                board.mark_lost_again(slot);
                ++d.slots;
                ++d.retransmissions;
            }
        }
    }
}

}  // namespace dpdkperf::tcp
