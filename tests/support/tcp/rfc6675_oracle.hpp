#pragma once

#include "dpdkperf/base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

namespace dpdkperf::tcp::sim {

// When RFC 6675 would have called a segment lost: three segments, or more than two segments' worth
// of bytes, SACKed above it (section 4, IsLost). A second opinion beside RACK; it knows nothing of
// time, reordering or lost retransmissions.
class Rfc6675Oracle {
public:
    void on_sent(std::int64_t left, std::int64_t right)
    {
        segments_.try_emplace(left, Segment{right, false, {}});
        segment_bytes_ = std::max(segment_bytes_, right - left);
    }

    void on_sack(std::int64_t left, std::int64_t right)
    {
        for (auto at = segments_.lower_bound(left);
             at != segments_.end() && at->second.right <= right; ++at) {
            at->second.sacked = true;
        }
    }

    void on_ack(std::int64_t ack, Moment now)
    {
        while (!segments_.empty() && segments_.begin()->second.right <= ack) {
            segments_.erase(segments_.begin());
        }
        std::int64_t sacked_above = 0;
        for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
            if (at->second.sacked) {
                sacked_above += at->second.right - at->first;
            } else if (sacked_above > 2 * segment_bytes_ && !at->second.lost_at) {
                at->second.lost_at = now;
            }
        }
    }

    [[nodiscard]] std::optional<Moment> lost_at(std::int64_t left) const
    {
        const auto at = segments_.find(left);
        return at == segments_.end() ? std::nullopt : at->second.lost_at;
    }

private:
    struct Segment {
        std::int64_t right;
        bool sacked;
        std::optional<Moment> lost_at;
    };

    std::map<std::int64_t, Segment> segments_;
    std::int64_t segment_bytes_ = 1;
};

}  // namespace dpdkperf::tcp::sim
