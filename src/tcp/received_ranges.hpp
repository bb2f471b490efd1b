#pragma once

#include "offset.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace dpdkperf::tcp {

// What has arrived of a stream: everything before next(), and up to kMax ranges behind it, sorted,
// apart from one another. What was reported to the peer is never given up: a segment that
// finds no room is refused instead.
class ReceivedRanges {
public:
    static constexpr std::size_t kMax = 1'024;

    enum class Outcome : std::uint8_t {
        kInOrder,     // next() has moved
        kOutOfOrder,  // a new range, or one that has grown
        kDuplicate,   // nothing new
        kRefused,     // out of order, and all ranges are in use
    };
    struct Insertion {
        Outcome outcome = Outcome::kDuplicate;
        bool duplicate_bytes = false;  // some of it had arrived before: `duplicate` (RFC 2883)
        Range duplicate;
    };

    void reset() noexcept;
    // `bytes` is not empty.
    Insertion insert(const Range& bytes) noexcept;

    [[nodiscard]] Offset next() const { return next_; }
    // The next `bytes` have arrived, and nothing is behind them.
    void advance(Offset bytes) noexcept { next_ += bytes; }
    [[nodiscard]] std::span<const Range> ranges() const { return {ranges_.data(), count_}; }
    // The right edge of all that has arrived.
    [[nodiscard]] Offset highest() const { return count_ > 0 ? ranges_[count_ - 1].right : next_; }

    // Up to `to.size()` ranges for a SACK option, the most recently changed first (RFC 2018, 4).
    std::size_t report(std::span<Range> to) const noexcept;

    [[nodiscard]] const char* broken_invariant() const noexcept;

private:
    [[nodiscard]] std::size_t first_reaching(Offset at) const;  // the first with right >= at
    // A range of its own before the one at `at`; or the one at `at`, which `fresh` touches, grows.
    Outcome add(std::size_t at, const Range& fresh) noexcept;
    Outcome extend(std::size_t at, const Range& fresh) noexcept;
    void erase(std::size_t from, std::size_t to) noexcept;
    void swallow() noexcept;  // ranges that next() has reached
    void remember(Offset at) noexcept;

    Offset next_ = 0;
    std::size_t count_ = 0;
    std::array<Range, kMax> ranges_{};
    std::array<Offset, 4> recent_{};  // a position within each recently changed range
    std::size_t recent_count_ = 0;
};

}  // namespace dpdkperf::tcp
