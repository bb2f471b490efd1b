#pragma once

#include "dpdkperf/base/time.hpp"

#include <algorithm>
#include <cstdint>

namespace dpdkperf::tcp {

// Spreads segments over time. Time is kept in 1/256 ns, so that a segment at 100 Gbit/s (115.84 ns)
// is not rounded by more than 3 parts in 100,000.
class SendPacer {
public:
    // What was not used is kept for this long: segments leave in bursts of a millisecond, as
    // Linux's do (sk_pacing_shift 10, Linux 6.1).
    static constexpr nanoseconds kCredit = std::chrono::milliseconds{1};

    void reset() noexcept { due_ = 0; }

    // bytes_per_second above 0.
    void on_sent(std::uint64_t bytes, std::uint64_t bytes_per_second, Moment now) noexcept
    {
        due_ = std::max(due_, ticks(now - kCredit)) + cost(bytes, bytes_per_second);
    }

    [[nodiscard]] bool ready(Moment now) const { return due_ <= ticks(now); }
    [[nodiscard]] Moment due() const { return Moment{nanoseconds{(due_ + 255) / 256}}; }

private:
    static constexpr std::uint64_t kTicksPerSecond = 256'000'000'000;

    static std::int64_t ticks(Moment at) { return at.time_since_epoch().count() * 256; }

    static std::int64_t cost(std::uint64_t bytes, std::uint64_t bytes_per_second)
    {
        // At most a second per call: 2^24 bytes x 2.56e11 stays below 2^63.
        const std::uint64_t wanted = std::min<std::uint64_t>(bytes, 1U << 24U) * kTicksPerSecond;
        return static_cast<std::int64_t>(std::min(wanted / bytes_per_second, kTicksPerSecond));
    }

    std::int64_t due_ = 0;
};

}  // namespace dpdkperf::tcp
