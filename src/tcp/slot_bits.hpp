#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dpdkperf::tcp {

// One bit for each of the last `capacity` slots of a stream: slot s lives at s modulo the
// capacity, which is a power of two and at least 64. Ranges are [from, to), not longer than the
// capacity.
class SlotBits {
public:
    explicit SlotBits(std::uint32_t capacity)
        : words_{std::make_unique<std::uint64_t[]>(capacity / 64)}, word_mask_{capacity / 64 - 1}
    {
    }

    [[nodiscard]] bool test(std::uint64_t slot) const noexcept
    {
        return (word(slot) >> (slot % 64) & 1U) != 0;
    }
    void set(std::uint64_t slot) noexcept { word(slot) |= bit(slot); }
    void clear(std::uint64_t slot) noexcept { word(slot) &= ~bit(slot); }
    void clear_all() noexcept { std::fill_n(words_.get(), word_mask_ + 1, 0); }

    [[nodiscard]] std::uint64_t& word(std::uint64_t slot) noexcept
    {
        return words_[slot / 64 & word_mask_];
    }
    [[nodiscard]] const std::uint64_t& word(std::uint64_t slot) const noexcept
    {
        return words_[slot / 64 & word_mask_];
    }

    // Passes over words of set bits, cheaply, however often a peer makes us look: no bit in
    // [from, result) is clear, and result is at most `to`.
    [[nodiscard]] std::uint64_t skip_set(std::uint64_t from, std::uint64_t to) const noexcept
    {
        const std::uint64_t before = bit(from) - 1;
        if (to < from + 64 || (word(from) | before) != ~std::uint64_t{0}) {
            return from;
        }
        std::uint64_t at = from / 64 + 1;
        while (at < to / 64 && words_[at & word_mask_] == ~std::uint64_t{0}) {
            ++at;
        }
        return at * 64;
    }

    // Clears a range and returns how many bits were set in it.
    std::uint32_t clear_range(std::uint64_t from, std::uint64_t to) noexcept
    {
        std::uint32_t cleared = 0;
        for_words(from, to, [&](std::uint64_t slot, std::uint64_t mask) {
            cleared += static_cast<std::uint32_t>(std::popcount(word(slot) & mask));
            word(slot) &= ~mask;
        });
        return cleared;
    }

    // Calls f(slot, mask) for every word of the range: `slot` is a slot in that word (its first in
    // the range), `mask` its bits that belong to the range.
    template <class F>
    static void for_words(std::uint64_t from, std::uint64_t to, F&& f)
    {
        while (from < to) {
            const std::uint64_t n = std::min(64 - from % 64, to - from);
            f(from, n == 64 ? ~std::uint64_t{0} : ((std::uint64_t{1} << n) - 1) << (from % 64));
            from += n;
        }
    }

private:
    static constexpr std::uint64_t bit(std::uint64_t slot)
    {
        return std::uint64_t{1} << (slot % 64);
    }

    std::unique_ptr<std::uint64_t[]> words_;
    std::uint64_t word_mask_;
};

}  // namespace dpdkperf::tcp
