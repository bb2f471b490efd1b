#pragma once

#include "dpdkperf/ports/port_plan.hpp"

#include <span>

namespace dpdkperf::drivers {

// The table of driver families, for ports::plan_for(). Constant, any thread.
std::span<const ports::PortFamily> families();

}  // namespace dpdkperf::drivers
