#pragma once

#include "simulator.hpp"

namespace dpdkperf::tcp::sim {

// The scenario that belongs to a seed: a point in the grid of loss, round-trip time, rate, queue,
// reordering, duplication, options and directions. The seed is all that is needed to run it again.
Scenario grid_scenario(std::uint64_t seed);

// Runs it; an empty string, or what was wrong and how to see it again.
std::string run_seed(std::uint64_t seed);

}  // namespace dpdkperf::tcp::sim
