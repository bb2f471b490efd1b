#include "received_ranges.hpp"

#include "fault.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

void ReceivedRanges::reset() noexcept
{
    next_ = 0;
    count_ = recent_count_ = 0;
}

std::size_t ReceivedRanges::first_reaching(Offset at) const
{
    const auto* found = std::partition_point(ranges_.begin(),
        ranges_.begin() + static_cast<long>(count_), [&](const Range& r) { return r.right < at; });
    return static_cast<std::size_t>(found - ranges_.begin());
}

void ReceivedRanges::erase(std::size_t from, std::size_t to) noexcept
{
    std::move(ranges_.begin() + static_cast<long>(to), ranges_.begin() + static_cast<long>(count_),
        ranges_.begin() + static_cast<long>(from));
    count_ -= to - from;
}

void ReceivedRanges::swallow() noexcept
{
    std::size_t gone = 0;
    while (gone < count_ && ranges_[gone].left <= next_) {
        next_ = std::max(next_, ranges_[gone].right);
        ++gone;
    }
    if (gone > 0) {
        erase(0, gone);
    }
}

void ReceivedRanges::remember(Offset at) noexcept
{
    recent_count_ = std::min(recent_count_ + 1, recent_.size());
    for (std::size_t i = recent_count_ - 1; i > 0; --i) {
        recent_[i] = recent_[i - 1];
    }
    recent_[0] = at;
}

ReceivedRanges::Insertion ReceivedRanges::insert(const Range& bytes) noexcept
{
    Insertion result;
    Range fresh = bytes;
    if (fresh.left < next_) {
        result.duplicate_bytes = true;
        result.duplicate = {fresh.left, std::min(fresh.right, next_)};
        fresh.left = next_;
    }
    if (fresh.left >= fresh.right) {
        return result;
    }
    const std::size_t at = first_reaching(fresh.left);
    const bool touches = at < count_ && ranges_[at].left <= fresh.right;
    if (touches && ranges_[at].left < fresh.right && ranges_[at].right > fresh.left &&
        !result.duplicate_bytes) {
        result.duplicate_bytes = true;
        result.duplicate = {
            std::max(ranges_[at].left, fresh.left), std::min(ranges_[at].right, fresh.right)};
    }
    if (fresh.left == next_) {
        next_ = fresh.right;
        swallow();
        result.outcome = Outcome::kInOrder;
        return result;
    }
    result.outcome = touches ? extend(at, fresh) : add(at, fresh);
    if (result.outcome != Outcome::kRefused) {
        remember(fresh.left);  // a D-SACK too is followed by the block it is in (RFC 2883, 4)
    }
    return result;
}

ReceivedRanges::Outcome ReceivedRanges::add(std::size_t at, const Range& fresh) noexcept
{
    if (count_ == kMax && faulty(Fault::kSackedRangeEvicted) && at < kMax) {
        --count_;
    }
    if (count_ == kMax) {
        return Outcome::kRefused;
    }
    std::move_backward(ranges_.begin() + static_cast<long>(at),
        ranges_.begin() + static_cast<long>(count_),
        ranges_.begin() + static_cast<long>(count_ + 1));
    ranges_[at] = fresh;
    ++count_;
    return Outcome::kOutOfOrder;
}

ReceivedRanges::Outcome ReceivedRanges::extend(std::size_t at, const Range& fresh) noexcept
{
    if (ranges_[at].left <= fresh.left && ranges_[at].right >= fresh.right) {
        return Outcome::kDuplicate;
    }
    std::size_t end = at + 1;
    while (end < count_ && ranges_[end].left <= fresh.right) {
        ++end;
    }
    ranges_[at] = {
        std::min(ranges_[at].left, fresh.left), std::max(ranges_[end - 1].right, fresh.right)};
    erase(at + 1, end);
    return Outcome::kOutOfOrder;
}

std::size_t ReceivedRanges::report(std::span<Range> to) const noexcept
{
    std::size_t n = 0;
    const auto add = [&](const Range& range) {
        if (n < to.size() && std::find(to.begin(), to.begin() + static_cast<long>(n), range) ==
                                 to.begin() + static_cast<long>(n)) {
            to[n++] = range;
        }
    };
    for (std::size_t i = 0; i < recent_count_; ++i) {
        const std::size_t at = first_reaching(recent_[i] + 1);
        if (at < count_ && ranges_[at].left <= recent_[i]) {
            add(ranges_[at]);
        }
    }
    for (std::size_t i = 0; i < count_ && n < to.size(); ++i) {
        add(ranges_[i]);
    }
    return n;
}

const char* ReceivedRanges::broken_invariant() const noexcept
{
    Offset last = next_;
    for (const Range& range : ranges()) {
        if (range.left <= last || range.right <= range.left) {
            return "received ranges touch, overlap or are out of order";
        }
        last = range.right;
    }
    return nullptr;
}

}  // namespace dpdkperf::tcp
