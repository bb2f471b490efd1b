#include "scoreboard.hpp"

#include <algorithm>
#include <cassert>

namespace dpdkperf::tcp {

Scoreboard::Scoreboard(std::uint32_t capacity)
    : sacked_{capacity},
      lost_{capacity},
      again_{capacity},
      ever_{capacity},
      sent_us_{std::make_unique<std::uint32_t[]>(capacity)},
      capacity_{capacity},
      mask_{capacity - 1}
{
    assert(capacity >= 64 && std::has_single_bit(capacity));
}

void Scoreboard::reset(Offset base, std::uint32_t slot_bytes) noexcept
{
    sacked_.clear_all();
    lost_.clear_all();
    again_.clear_all();
    ever_.clear_all();
    base_ = una_ = nxt_ = base;
    slot_bytes_ = slot_bytes;
    first_ = end_ = lost_from_ = 0;
    sacked_count_ = lost_count_ = in_flight_again_ = 0;
}

Range Scoreboard::bytes_of(std::uint64_t slot, std::uint64_t count) const
{
    return {std::max(start_of(slot), una_), std::min(start_of(slot + count), nxt_)};
}

Offset Scoreboard::next_start() const
{
    if (at_slot_start() || end_ == first_ || !lost_.test(end_ - 1)) {
        return nxt_;
    }
    return std::max(start_of(end_ - 1), una_);
}

void Scoreboard::sent_new(Offset to, std::uint32_t now_us) noexcept
{
    if (!at_slot_start() && end_ > first_) {  // the last slot grows, and is in flight as a whole
        const std::uint64_t slot = end_ - 1;
        sacked_count_ -= sacked_.clear_range(slot, end_);
        lost_count_ -= lost_.clear_range(slot, end_);
        in_flight_again_ -= again_.clear_range(slot, end_);
        sent_us_[slot & mask_] = now_us;
    } else if (!at_slot_start()) {  // what was sent of it has been acknowledged
        first_ = end_ - 1;
        --end_;
    }
    const std::uint64_t end = slot_of(to - 1) + 1;
    assert(end - first_ <= capacity_);
    for (std::uint64_t slot = end_; slot < end; ++slot) {
        sent_us_[slot & mask_] = now_us;
    }
    end_ = end;
    nxt_ = to;
}

void Scoreboard::sent_again(std::uint64_t slot, std::uint32_t count, std::uint32_t now_us) noexcept
{
    for (std::uint64_t s = slot; s < slot + count; ++s) {
        assert(lost_.test(s) && !again_.test(s));
        again_.set(s);
        ever_.set(s);
        sent_us_[s & mask_] = now_us;
    }
    in_flight_again_ += count;
    lost_from_ = std::max(lost_from_, slot + count);
}

void Scoreboard::drop_front(std::uint64_t to) noexcept
{
    sacked_count_ -= sacked_.clear_range(first_, to);
    lost_count_ -= lost_.clear_range(first_, to);
    in_flight_again_ -= again_.clear_range(first_, to);
    ever_.clear_range(first_, to);
    first_ = to;
    lost_from_ = std::max(lost_from_, first_);
}

void Scoreboard::mark_lost(std::uint64_t slot) noexcept
{
    assert(!sacked_.test(slot) && !lost_.test(slot));
    lost_.set(slot);
    ++lost_count_;
    lost_from_ = std::min(lost_from_, slot);
}

void Scoreboard::mark_lost_again(std::uint64_t slot) noexcept
{
    assert(again_.test(slot));
    again_.clear(slot);
    --in_flight_again_;
    lost_from_ = std::min(lost_from_, slot);
}

void Scoreboard::mark_all_lost() noexcept
{
    again_.clear_range(first_, end_);
    in_flight_again_ = 0;
    SlotBits::for_words(first_, end_, [&](std::uint64_t slot, std::uint64_t mask) {
        lost_.word(slot) |= mask & ~sacked_.word(slot);
    });
    lost_count_ = out() - sacked_count_;
    lost_from_ = first_;
}

void Scoreboard::unmark_lost() noexcept
{
    SlotBits::for_words(first_, end_, [&](std::uint64_t slot, std::uint64_t mask) {
        lost_.word(slot) &= ~mask | again_.word(slot);
    });
    lost_count_ = in_flight_again_;
    lost_from_ = end_;
}

void Scoreboard::forget_sacks() noexcept
{
    sacked_.clear_range(first_, end_);
    sacked_count_ = 0;
}

std::optional<Scoreboard::Run> Scoreboard::next_lost(std::uint32_t max) noexcept
{
    while (lost_from_ < end_) {
        const std::uint64_t rest =
            (lost_.word(lost_from_) & ~again_.word(lost_from_)) >> (lost_from_ % 64);
        if (rest == 0) {
            lost_from_ += 64 - lost_from_ % 64;
            continue;
        }
        lost_from_ += static_cast<unsigned>(std::countr_zero(rest));
        if (lost_from_ >= end_) {
            break;
        }
        Run run{lost_from_, 1};
        while (run.count < max && lost_from_ + run.count < end_ &&
               lost_.test(lost_from_ + run.count) && !again_.test(lost_from_ + run.count)) {
            ++run.count;
        }
        return run;
    }
    lost_from_ = end_;
    return std::nullopt;
}

std::uint64_t Scoreboard::next_unmarked(std::uint64_t from) const noexcept
{
    while (from < end_) {
        const std::uint64_t rest = ~(sacked_.word(from) | lost_.word(from)) >> (from % 64);
        if (rest != 0) {
            return std::min(from + static_cast<unsigned>(std::countr_zero(rest)), end_);
        }
        from += 64 - from % 64;
    }
    return end_;
}

const char* Scoreboard::broken_slot(std::uint64_t s) const noexcept
{
    if (sacked_.test(s) && lost_.test(s)) {
        return "a slot is both SACKed and lost";
    }
    if (again_.test(s) && !(lost_.test(s) && ever_.test(s))) {
        return "a slot was sent again without having been lost";
    }
    if (lost_.test(s) && !again_.test(s) && s < lost_from_) {
        return "a lost slot is out of sight";
    }
    return nullptr;
}

const char* Scoreboard::broken_invariant() const noexcept
{
    std::uint32_t sacked = 0;
    std::uint32_t lost = 0;
    std::uint32_t again = 0;
    for (std::uint64_t s = first_; s < end_; ++s) {
        if (const char* broken = broken_slot(s); broken != nullptr) {
            return broken;
        }
        sacked += sacked_.test(s) ? 1U : 0U;
        lost += lost_.test(s) ? 1U : 0U;
        again += again_.test(s) ? 1U : 0U;
    }
    if (sacked != sacked_count_ || lost != lost_count_ || again != in_flight_again_) {
        return "a count of slots differs from its bits";
    }
    for (std::uint64_t s = end_; s < first_ + capacity_; ++s) {
        if (sacked_.test(s) || lost_.test(s) || again_.test(s) || ever_.test(s)) {
            return "a bit is set outside the data in flight";
        }
    }
    const bool ends_meet = una_ <= nxt_ && (una_ == nxt_) == (first_ == end_);
    return ends_meet ? nullptr : "data in flight and slots in flight disagree";
}

}  // namespace dpdkperf::tcp
