#include "dpdkperf/options/defaults.hpp"

namespace dpdkperf::options {

bool ends_by_amount(const Plan& plan)
{
    return plan.bytes != 0 || plan.blocks != 0;
}

BitRate rate_of(const Plan& plan)
{
    const bool udp = plan.protocol == Protocol::kUdp;
    return plan.rate.value_or(udp ? kIperf3DefaultUdpRate : BitRate{});
}

std::chrono::seconds duration_of(const Plan& plan)
{
    constexpr std::chrono::seconds kDefault{10};  // iperf 3.12, src/iperf.h, DURATION
    return plan.duration.value_or(ends_by_amount(plan) ? std::chrono::seconds{0} : kDefault);
}

}  // namespace dpdkperf::options
