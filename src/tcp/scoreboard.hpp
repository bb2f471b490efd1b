#pragma once

#include "offset.hpp"
#include "slot_bits.hpp"

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>

namespace dpdkperf::tcp {

// A slot and when it was last sent, in microseconds of a 32-bit clock.
struct Sent {
    std::uint64_t slot = 0;
    std::uint32_t at_us = 0;
};

// Slots that were delivered (acknowledged or SACKed) for the first time by one ACK.
struct Delivered {
    std::uint32_t slots = 0;
    bool retransmitted = false;                 // some of them had been sent more than once
    std::optional<Sent> newest_original;        // of those sent only once
    std::optional<Sent> latest_retransmission;  // by send time, of those the caller accepts
    std::optional<std::uint64_t> oldest_original;

    void merge(const Delivered& other);
};

// What the sender knows about the data in flight. The sender alone decides where segments begin, so
// the stream is divided into slots of one segment each and a slot needs only a few bits and its
// last send time: memory is fixed, and no SACK can fragment it.
//
// Positions are in sequence space: the FIN is one more byte behind the data. The first slot may be
// acknowledged in part, the last one sent in part.
//
// Invariants: no slot is both SACKed and lost; a slot with a retransmission in flight is lost; no
// bit is set outside [first, end).
class Scoreboard {
public:
    // Room for `capacity` slots in flight: a power of two, at least 64.
    explicit Scoreboard(std::uint32_t capacity);

    // Nothing in flight; slots of `slot_bytes` from `base`, where the next new byte is.
    void reset(Offset base, std::uint32_t slot_bytes) noexcept;

    [[nodiscard]] std::uint32_t slot_bytes() const { return slot_bytes_; }
    [[nodiscard]] Offset una() const { return una_; }
    [[nodiscard]] Offset nxt() const { return nxt_; }
    [[nodiscard]] std::uint64_t first() const { return first_; }
    [[nodiscard]] std::uint64_t end() const { return end_; }
    [[nodiscard]] std::uint32_t out() const { return static_cast<std::uint32_t>(end_ - first_); }
    [[nodiscard]] std::uint32_t free_slots() const { return capacity_ - out(); }
    [[nodiscard]] std::uint32_t sacked() const { return sacked_count_; }
    [[nodiscard]] std::uint32_t lost() const { return lost_count_; }
    [[nodiscard]] std::uint32_t retransmitted() const { return in_flight_again_; }
    // Slots believed to be in the network (RFC 6675, pipe).
    [[nodiscard]] std::uint32_t pipe() const
    {
        return out() - sacked_count_ - lost_count_ + in_flight_again_;
    }

    [[nodiscard]] bool is_sacked(std::uint64_t slot) const { return sacked_.test(slot); }
    [[nodiscard]] bool is_lost(std::uint64_t slot) const { return lost_.test(slot); }
    [[nodiscard]] bool is_retransmitted(std::uint64_t slot) const { return again_.test(slot); }
    [[nodiscard]] bool was_retransmitted(std::uint64_t slot) const { return ever_.test(slot); }
    [[nodiscard]] std::uint32_t sent_us(std::uint64_t slot) const { return sent_us_[slot & mask_]; }

    // The slot that contains the byte at `offset`, which is at or behind base.
    [[nodiscard]] std::uint64_t slot_of(Offset offset) const
    {
        return static_cast<std::uint64_t>(offset - base_) / slot_bytes_;
    }
    // The part of slots [slot, slot + count) that has been sent and is not acknowledged.
    [[nodiscard]] Range bytes_of(std::uint64_t slot, std::uint64_t count) const;
    // Where the next new segment begins: nxt(), or before it where the last slot was sent in part
    // and has to be sent again.
    [[nodiscard]] Offset next_start() const;
    [[nodiscard]] Offset slot_end(Offset at) const { return start_of(slot_of(at) + 1); }
    [[nodiscard]] bool at_slot_start() const { return nxt_ == start_of(end_); }

    // New data was sent up to `to`, from next_start(). The slots touched must be free.
    void sent_new(Offset to, std::uint32_t now_us) noexcept;
    // Lost slots were sent again.
    void sent_again(std::uint64_t slot, std::uint32_t count, std::uint32_t now_us) noexcept;

    // [una, to) was acknowledged; una() < to <= nxt(). accept(Sent) decides which retransmissions
    // may become latest_retransmission.
    template <class Accept>
    Delivered acknowledge(Offset to, Accept&& accept);
    // [block.left, block.right) was SACKed, within [una, nxt]. Rounded inward to whole slots.
    template <class Accept>
    Delivered sack(const Range& block, Accept&& accept);

    void mark_lost(std::uint64_t slot) noexcept;
    // A retransmission was lost too.
    void mark_lost_again(std::uint64_t slot) noexcept;
    // Timeout: everything that was not SACKed is lost.
    void mark_all_lost() noexcept;
    // What was believed lost and not sent again is in flight after all.
    void unmark_lost() noexcept;
    // The peer has dropped what it had SACKed.
    void forget_sacks() noexcept;

    // The first lost slot that has not been sent again, and how many follow it in a row, at most
    // `max`. Nothing: there is none.
    struct Run {
        std::uint64_t slot = 0;
        std::uint32_t count = 0;
    };
    [[nodiscard]] std::optional<Run> next_lost(std::uint32_t max) noexcept;

    // The first slot from `from` on that is neither SACKed nor lost; end() if there is none.
    [[nodiscard]] std::uint64_t next_unmarked(std::uint64_t from) const noexcept;

    // What is wrong with the invariants, or null. O(slots).
    [[nodiscard]] const char* broken_invariant() const noexcept;

private:
    [[nodiscard]] Offset start_of(std::uint64_t slot) const
    {
        return base_ + static_cast<Offset>(slot) * slot_bytes_;
    }
    template <class Accept>
    Delivered deliver(std::uint64_t from, std::uint64_t to, Accept&& accept);
    void drop_front(std::uint64_t to) noexcept;
    [[nodiscard]] const char* broken_slot(std::uint64_t slot) const noexcept;

    SlotBits sacked_, lost_, again_, ever_;
    std::unique_ptr<std::uint32_t[]> sent_us_;
    std::uint32_t capacity_;
    std::uint64_t mask_;
    Offset base_ = 0, una_ = 0, nxt_ = 0;
    std::uint32_t slot_bytes_ = 1;
    std::uint64_t first_ = 0, end_ = 0;
    std::uint64_t lost_from_ = 0;  // no lost slot to be sent again is before it
    std::uint32_t sacked_count_ = 0, lost_count_ = 0, in_flight_again_ = 0;
};

inline void Delivered::merge(const Delivered& other)
{
    slots += other.slots;
    retransmitted = retransmitted || other.retransmitted;
    const auto later = [](const std::optional<Sent>& a, const std::optional<Sent>& b) {
        return !a || (b && static_cast<std::int32_t>(b->at_us - a->at_us) > 0);
    };
    if (other.newest_original &&
        (!newest_original || other.newest_original->slot > newest_original->slot)) {
        newest_original = other.newest_original;
    }
    if (later(latest_retransmission, other.latest_retransmission)) {
        latest_retransmission = other.latest_retransmission;
    }
    if (other.oldest_original && (!oldest_original || *other.oldest_original < *oldest_original)) {
        oldest_original = other.oldest_original;
    }
}

template <class Accept>
Delivered Scoreboard::deliver(std::uint64_t from, std::uint64_t to, Accept&& accept)
{
    Delivered d;
    from = sacked_.skip_set(from, to);
    SlotBits::for_words(from, to, [&](std::uint64_t slot, std::uint64_t mask) {
        const std::uint64_t base = slot - slot % 64;
        const std::uint64_t fresh = mask & ~sacked_.word(slot);
        if (fresh == 0) {
            return;
        }
        d.slots += static_cast<std::uint32_t>(std::popcount(fresh));
        d.retransmitted = d.retransmitted || (fresh & ever_.word(slot)) != 0;
        lost_count_ -= static_cast<std::uint32_t>(std::popcount(fresh & lost_.word(slot)));
        in_flight_again_ -= static_cast<std::uint32_t>(std::popcount(fresh & again_.word(slot)));
        if (const std::uint64_t once = fresh & ~ever_.word(slot); once != 0) {
            const std::uint64_t newest = base + static_cast<unsigned>(std::bit_width(once)) - 1;
            d.newest_original = {newest, sent_us(newest)};
            if (!d.oldest_original) {
                d.oldest_original = base + static_cast<unsigned>(std::countr_zero(once));
            }
        }
        for (std::uint64_t left = fresh & ever_.word(slot); left != 0; left &= left - 1) {
            const std::uint64_t s = base + static_cast<unsigned>(std::countr_zero(left));
            const Sent sent{s, sent_us(s)};
            if (accept(sent) &&
                (!d.latest_retransmission ||
                    static_cast<std::int32_t>(sent.at_us - d.latest_retransmission->at_us) >= 0)) {
                d.latest_retransmission = sent;
            }
        }
        sacked_.word(slot) |= fresh;
        lost_.word(slot) &= ~fresh;
        again_.word(slot) &= ~fresh;
    });
    sacked_count_ += d.slots;
    return d;
}

template <class Accept>
Delivered Scoreboard::acknowledge(Offset to, Accept&& accept)
{
    const std::uint64_t first = to == nxt_ ? end_ : slot_of(to);
    Delivered d = deliver(first_, first, accept);
    drop_front(first);
    una_ = to;
    return d;
}

template <class Accept>
Delivered Scoreboard::sack(const Range& block, Accept&& accept)
{
    const std::uint64_t from = slot_of(block.left + slot_bytes_ - 1);
    const std::uint64_t to = block.right == nxt_ ? end_ : slot_of(block.right);
    return from < to ? deliver(from, to, accept) : Delivered{};
}

}  // namespace dpdkperf::tcp
