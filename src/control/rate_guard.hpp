#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/base/units.hpp"

#include <deque>

namespace dpdkperf::control {

// Tells when traffic has been faster than a limit over some window of time. Looks at counters now
// and then; a window begins and ends with a look.
class RateGuard {
public:
    RateGuard(BitRate limit, std::chrono::nanoseconds window) : limit_{limit}, window_{window} {}

    // `total`: all that has passed so far. Nothing is too fast before a whole window is over.
    [[nodiscard]] bool exceeded(Moment now, PayloadBytes total)
    {
        looks_.push_back({now, total});
        while (looks_.size() > 2 && now - looks_[1].at >= window_) {
            looks_.pop_front();
        }
        const auto& [begin, before] = looks_.front();
        return now - begin >= window_ &&
               bits_per_second(total - before, now - begin) > static_cast<double>(limit_.bps());
    }

private:
    struct Look {
        Moment at;
        PayloadBytes total;
    };
    BitRate limit_;
    std::chrono::nanoseconds window_;
    std::deque<Look> looks_;
};

}  // namespace dpdkperf::control
