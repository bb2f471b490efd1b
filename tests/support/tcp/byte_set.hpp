#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace dpdkperf::tcp::sim {

// A set of bytes of a stream, as plainly as can be: what a receiver may claim to have.
class ByteSet {
public:
    void add(std::int64_t left, std::int64_t right)
    {
        if (left >= right) {
            return;
        }
        auto at = ranges_.upper_bound(left);
        if (at != ranges_.begin() && std::prev(at)->second >= left) {
            --at;
            left = at->first;
            right = std::max(right, at->second);
            at = ranges_.erase(at);
        }
        while (at != ranges_.end() && at->first <= right) {
            right = std::max(right, at->second);
            at = ranges_.erase(at);
        }
        ranges_[left] = right;
    }

    [[nodiscard]] bool contains(std::int64_t left, std::int64_t right) const
    {
        auto at = ranges_.upper_bound(left);
        return left >= right || (at != ranges_.begin() && std::prev(at)->second >= right);
    }

    // The end of what is there from 0 on without a hole.
    [[nodiscard]] std::int64_t in_order() const
    {
        return !ranges_.empty() && ranges_.begin()->first <= 0 ? ranges_.begin()->second : 0;
    }

private:
    std::map<std::int64_t, std::int64_t> ranges_;
};

}  // namespace dpdkperf::tcp::sim
