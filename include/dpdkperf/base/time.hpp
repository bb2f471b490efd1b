#pragma once

#include <chrono>
#include <cstdint>

namespace dpdkperf {

// A moment on CLOCK_MONOTONIC. Threads exchange moments in this form; only loops count ticks.
using Moment = std::chrono::steady_clock::time_point;
using std::chrono::nanoseconds;

// TSC ticks to CLOCK_MONOTONIC and back, exact at `tsc` and linear around it. Pure arithmetic:
// whoever reads both clocks makes it. Valid for 2^63 ns around the anchor.
class TscScale {
public:
    constexpr TscScale() = default;
    // `ticks_per_second` greater than 0. `tsc` and `at` were read at the same time.
    constexpr TscScale(std::uint64_t ticks_per_second, std::uint64_t tsc, Moment at)
        : ticks_per_second_{ticks_per_second}, tsc_{tsc}, at_{at}
    {}

    [[nodiscard]] constexpr std::uint64_t ticks_per_second() const { return ticks_per_second_; }

    [[nodiscard]] constexpr Moment moment(std::uint64_t tsc) const
    {
        const auto ticks = static_cast<std::int64_t>(tsc - tsc_);
        const auto ns = Wide{ticks} * 1'000'000'000 / static_cast<std::int64_t>(ticks_per_second_);
        return at_ + nanoseconds{static_cast<std::int64_t>(ns)};
    }

    [[nodiscard]] constexpr std::uint64_t tsc(Moment at) const
    {
        return tsc_ + static_cast<std::uint64_t>(ticks(at - at_));
    }

    // The length of `duration` in ticks, rounded towards zero.
    [[nodiscard]] constexpr std::int64_t ticks(nanoseconds duration) const
    {
        return static_cast<std::int64_t>(
            Wide{duration.count()} * static_cast<std::int64_t>(ticks_per_second_) / 1'000'000'000);
    }

private:
    __extension__ using Wide = __int128;

    std::uint64_t ticks_per_second_ = 1'000'000'000;
    std::uint64_t tsc_ = 0;
    Moment at_{};
};

}  // namespace dpdkperf
