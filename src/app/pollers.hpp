#pragma once

#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/ports/port.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace dpdkperf::app {

// Queue q goes to poller q modulo their number; lcores without a queue get no poller.
std::vector<engine::PollerSetup> deal_queues(
    const std::vector<unsigned>& lcores, const std::vector<ports::QueuePair>& queues);

// How many streams a client has that was not told: one per poller if the user has chosen lcores
// (-l, --lcores), else one as in iperf3.
std::uint32_t default_streams(const std::vector<std::string>& eal_arguments, std::size_t pollers);

}  // namespace dpdkperf::app
