#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpdkperf::impair {

// Things that come out again at a time of their own; those of the same time in the order in which
// they went in. Room for `capacity`, allocated at once.
template <class T>
class DelayLine {
public:
    explicit DelayLine(std::size_t capacity) : capacity_{capacity} { entries_.reserve(capacity); }

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] bool full() const noexcept { return entries_.size() == capacity_; }
    // Requires !full().
    void push(std::uint64_t at, T value) noexcept
    {
        entries_.push_back({at, next_++, value});
        std::push_heap(entries_.begin(), entries_.end(), later);
    }
    [[nodiscard]] bool due(std::uint64_t now) const noexcept
    {
        return !entries_.empty() && entries_.front().at <= now;
    }
    // The first one. Requires !empty().
    T pop() noexcept
    {
        std::pop_heap(entries_.begin(), entries_.end(), later);
        const T value = entries_.back().value;
        entries_.pop_back();
        return value;
    }

private:
    struct Entry {
        std::uint64_t at, number;
        T value;
    };
    static bool later(const Entry& a, const Entry& b) noexcept
    {
        return a.at != b.at ? a.at > b.at : a.number > b.number;
    }

    std::size_t capacity_;
    std::vector<Entry> entries_;  // a heap, the first one in front
    std::uint64_t next_ = 0;
};

}  // namespace dpdkperf::impair
