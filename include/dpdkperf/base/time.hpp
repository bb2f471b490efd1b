#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace dpdkperf {

// A moment on CLOCK_MONOTONIC. Threads exchange moments in this form; only loops count ticks.
using Moment = std::chrono::steady_clock::time_point;
using std::chrono::nanoseconds;

// TSC ticks to CLOCK_MONOTONIC and back, linear around an anchor. Pure arithmetic: whoever reads
// both clocks makes it. Exact to a nanosecond for a day, usable for 2^47 ticks either way.
class TscScale {
public:
    constexpr TscScale() = default;
    // `ticks_per_second` at least 100 kHz. `tsc` and `at` were read at the same time.
    constexpr TscScale(std::uint64_t ticks_per_second, std::uint64_t tsc, Moment at)
        : ticks_per_second_{ticks_per_second},
          ns_per_tick_{static_cast<std::uint64_t>(
              (UnsignedWide{1'000'000'000} << kShift) / ticks_per_second)},
          tsc_{tsc},
          at_{at}
    {
    }

    [[nodiscard]] constexpr std::uint64_t ticks_per_second() const { return ticks_per_second_; }

    [[nodiscard]] constexpr Moment moment(std::uint64_t tsc) const
    {
        const auto ticks = static_cast<std::int64_t>(tsc - tsc_);
        const Wide ns = Wide{ticks} * static_cast<std::int64_t>(ns_per_tick_) >> kShift;
        return at_ + nanoseconds{static_cast<std::int64_t>(ns)};
    }

    // The first tick at which moment() is `at` or later, to a tick.
    [[nodiscard]] constexpr std::uint64_t tsc(Moment at) const
    {
        return tsc_ + static_cast<std::uint64_t>(ticks(at - at_)) + 1;
    }

    // The length of `duration` in ticks, rounded towards zero.
    [[nodiscard]] constexpr std::int64_t ticks(nanoseconds duration) const
    {
        return static_cast<std::int64_t>(
            Wide{duration.count()} * static_cast<std::int64_t>(ticks_per_second_) / 1'000'000'000);
    }

private:
    __extension__ using Wide = __int128;
    __extension__ using UnsignedWide = unsigned __int128;
    static constexpr unsigned kShift = 48;

    std::uint64_t ticks_per_second_ = 1'000'000'000;
    std::uint64_t ns_per_tick_ = std::uint64_t{1} << kShift;  // << kShift
    std::uint64_t tsc_ = 0;
    Moment at_{};
};

// Keeps a TscScale true to CLOCK_MONOTONIC in tests of any length. The rate that DPDK or the kernel
// tells may be wrong by a thousandth (rte_get_tsc_hz() rounds to 10 MHz); here it is measured over
// all the time since the first reading, and what has been gained or lost is made up for in the
// next second, so that the time of the scale never jumps and never goes back.
class ClockDiscipline {
public:
    ClockDiscipline() = default;
    constexpr ClockDiscipline(std::uint64_t ticks_per_second, std::uint64_t tsc, Moment at)
        : scale_{ticks_per_second, tsc, at}, first_tsc_{tsc}, first_at_{at}
    {
    }

    [[nodiscard]] constexpr const TscScale& scale() const { return scale_; }

    // A new pair of readings, about a second after the one before.
    constexpr void adjust(std::uint64_t tsc, Moment at)
    {
        using std::chrono::milliseconds;
        const Moment shown = scale_.moment(tsc);
        const nanoseconds behind =
            std::clamp<nanoseconds>(at - shown, -milliseconds{500}, milliseconds{500});
        const double second = 1.0 + std::chrono::duration<double>(behind).count();
        scale_ = {static_cast<std::uint64_t>(rate(tsc, at) / second), tsc, shown};
    }

    // Sets the time while nobody relies on it: it may jump.
    constexpr void set(std::uint64_t tsc, Moment at)
    {
        scale_ = {static_cast<std::uint64_t>(rate(tsc, at)), tsc, at};
    }

private:
    // Measured, once enough time has passed that reading two clocks one after the other (50 ns)
    // does not matter.
    [[nodiscard]] constexpr double rate(std::uint64_t tsc, Moment at) const
    {
        if (at - first_at_ < std::chrono::milliseconds{10}) {
            return static_cast<double>(scale_.ticks_per_second());
        }
        return static_cast<double>(tsc - first_tsc_) * 1e9 /
               static_cast<double>((at - first_at_).count());
    }

    TscScale scale_;
    std::uint64_t first_tsc_ = 0;
    Moment first_at_{};
};

}  // namespace dpdkperf
