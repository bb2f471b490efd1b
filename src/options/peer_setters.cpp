// Options that ask the other side for something and change nothing on ours.

#include "setters.hpp"
#include "values.hpp"

#include <utility>

namespace dpdkperf::options {

namespace {

// Whatever a sender makes of it, it is no longer than a test may be (iperf 3.12, src/iperf.h,
// MAX_TIME).
constexpr std::uint64_t kMaxPacingTimerUs = 86'400'000'000;

}  // namespace

Status set_zerocopy(Draft& draft, std::string_view)
{
    draft.plan.zerocopy = true;
    return {};
}

Status set_pacing_timer(Draft& draft, std::string_view value)
{
    // What is no number is none at all (iperf 3.12, src/units.c, unit_atoi).
    const auto number = to_size(value);
    const std::uint64_t microseconds = number ? *number : 0;
    if (microseconds > kMaxPacingTimerUs) {
        return usage("too large");
    }
    draft.plan.pacing_timer = std::chrono::microseconds{microseconds};
    return {};
}

Status set_skip_rx_copy(Draft& draft, std::string_view)
{
    draft.plan.skip_rx_copy = true;
    return {};
}

Status set_gsro(Draft& draft, std::string_view)
{
    draft.plan.gsro = true;
    return {};
}

Status set_dont_fragment(Draft& draft, std::string_view)
{
    draft.plan.dont_fragment = true;
    return {};
}

}  // namespace dpdkperf::options
