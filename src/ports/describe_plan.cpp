#include "dpdkperf/ports/port_plan.hpp"

namespace dpdkperf::ports {

std::string describe(const PortPlan& plan, std::string_view name)
{
    return std::string{name} + " " + plan.driver + "\n";
}

}  // namespace dpdkperf::ports
