#include "poller_place.hpp"

#include "dpdkperf/host/cpus.hpp"

#include <algorithm>

namespace dpdkperf::app {

PollerPlace::PollerPlace(const options::Plan& plan)
    : movable_{!ports::names_lcores(plan.eal_arguments)}, allowed_{host::allowed_cpus()}
{
}

Status PollerPlace::settle(const ports::Eal& eal, const std::optional<unsigned>& wish)
{
    if (!movable_ || wish == away_) {
        return {};
    }
    const unsigned home = eal.poller_cpus().front();
    const unsigned cpu = wish.value_or(home);
    const auto moved = eal.move(eal.poller_lcores().front(), cpu);
    if (!moved) {
        return moved.error();
    }
    away_ = wish;
    std::vector<int> others = host::threads();
    std::erase(others, *moved);
    std::vector<unsigned> allowed = allowed_;
    allowed.push_back(home);  // which the calling thread may have left for the poller
    host::keep_off(others, allowed, {cpu});
    return {};
}

}  // namespace dpdkperf::app
