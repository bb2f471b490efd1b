#include "dpdkperf/stats/edges.hpp"

namespace dpdkperf::stats {

using std::chrono::nanoseconds;

EdgeSchedule::EdgeSchedule(nanoseconds omit, nanoseconds interval)
    : omit_{omit}, interval_{interval}
{
    if (omit_.count() > 0) {
        const auto whole = interval_.count() > 0 ? omit_ / interval_ : 0;
        const bool coincide = interval_.count() > 0 && whole * interval_ == omit_;
        omitted_ = static_cast<std::uint64_t>(whole) + (coincide ? 0 : 1);
    }
}

bool EdgeSchedule::has(std::uint64_t number) const
{
    return number > 0 && (interval_.count() > 0 || number <= omitted_);
}

Edge EdgeSchedule::edge(std::uint64_t number) const
{
    const auto nth = [this](std::uint64_t n) { return static_cast<std::int64_t>(n) * interval_; };
    if (number > omitted_) {
        return {number, omit_ + nth(number - omitted_), true, false};
    }
    if (number == omitted_) {
        const bool coincides = interval_.count() > 0 && nth(number) == omit_;
        return {number, omit_, coincides, true};
    }
    return {number, nth(number), true, false};
}

}  // namespace dpdkperf::stats
