#pragma once

#include "dpdkperf/impair/random.hpp"

namespace dpdkperf::tcp::sim {

using impair::Random;

}  // namespace dpdkperf::tcp::sim
