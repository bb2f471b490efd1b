#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/ports/eal.hpp"

#include <optional>
#include <vector>

namespace dpdkperf::app {

// Where the one poller runs whose lcore EAL was not told about: on the CPU that start_eal() has
// chosen, and for the test of a client that wishes so (-A n,m) on another. With EAL's -l or several
// pollers a client's wish is not heard.
class PollerPlace {
public:
    // Remembers the CPUs that the calling thread may run on.
    explicit PollerPlace(const options::Plan& plan);

    // Moves the poller to `wish`, or home without one; the other threads give way. Once the poller
    // runs. Errors: kSystem.
    Status settle(const ports::Eal& eal, const std::optional<unsigned>& wish);

private:
    const bool movable_;
    const std::vector<unsigned> allowed_;
    std::optional<unsigned> away_;  // where it is, if not at home
};

}  // namespace dpdkperf::app
