#pragma once

#include "dpdkperf/base/units.hpp"

#include <algorithm>
#include <cstdint>

namespace dpdkperf::pacing {

// Lets datagrams of one size leave at a rate, in bursts of a fixed length. Credit is counted in
// bit x ticks, so nothing is ever rounded: over any time the number of bursts is exact to one.
//
// As in iperf3 (3.12, src/iperf_api.c, iperf_check_throttle) the first burst leaves at once and
// burst k at k x (burst bits / rate). Unlike iperf3, what was missed longer than kCatchUp ago is
// not made up for: a sender that was held back does not flood the link afterwards.
// One thread; no allocation.
class Pacer {
public:
    static constexpr std::uint64_t kCatchUpPerSecond = 10;  // the part of a second: 100 ms

    Pacer() = default;  // unlimited
    // `rate` of payload, 0: unlimited. `datagram` greater than 0. `burst` datagrams back to back, 0
    // as 1. ticks_per_second of the clock that `now` is read from.
    Pacer(BitRate rate, PayloadBytes datagram, std::uint32_t burst, std::uint64_t ticks_per_second)
        : rate_bps_{rate.bps()},
          burst_{std::max(burst, 1U)},
          cost_{Wide{datagram.value} * 8 * burst_ * ticks_per_second},
          max_elapsed_{std::max<std::uint64_t>(ticks_per_second / kCatchUpPerSecond, 1)}
    {
    }

    // Credit counts from `now`, the first burst is due.
    void start(std::uint64_t now) noexcept
    {
        last_ = now;
        credit_ = cost_;
        left_ = 0;
    }

    // Datagrams that may leave at `now`, at most `max`; those not asked for stay due. `now` in
    // ticks, never going back.
    std::uint32_t allowance(std::uint64_t now, std::uint32_t max) noexcept
    {
        if (rate_bps_ == 0) {
            return max;
        }
        earn(now);
        if (left_ == 0 && credit_ >= cost_) {
            const Wide bursts = std::min<Wide>(credit_ / cost_, max / burst_ + 1);
            credit_ -= bursts * cost_;
            left_ = static_cast<std::uint64_t>(bursts) * burst_;
        }
        const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(left_, max));
        left_ -= n;
        return n;
    }

    // Undoes allowance() for datagrams that could not be made.
    void give_back(std::uint32_t datagrams) noexcept { left_ += datagrams; }

private:
    __extension__ using Wide = unsigned __int128;

    void earn(std::uint64_t now) noexcept
    {
        const std::uint64_t elapsed = std::min(now - last_, max_elapsed_);
        last_ = now;
        // A burst may cost more than the catch-up time earns; two of them may always be saved.
        const Wide limit = std::max(Wide{max_elapsed_} * rate_bps_, 2 * cost_);
        credit_ = std::min(credit_ + Wide{elapsed} * rate_bps_, limit);
    }

    std::uint64_t rate_bps_ = 0;
    std::uint32_t burst_ = 1;
    Wide cost_ = 0;  // of a burst
    std::uint64_t max_elapsed_ = 0;
    std::uint64_t last_ = 0;
    Wide credit_ = 0;
    std::uint64_t left_ = 0;  // datagrams of the bursts that have been begun
};

}  // namespace dpdkperf::pacing
