#include "pollers.hpp"

#include "dpdkperf/ports/eal.hpp"

namespace dpdkperf::app {

std::vector<engine::PollerSetup> deal_queues(
    const std::vector<unsigned>& lcores, const std::vector<ports::QueuePair>& queues)
{
    std::vector<engine::PollerSetup> pollers;
    for (std::size_t q = 0; q < queues.size(); ++q) {
        if (q < lcores.size()) {
            pollers.push_back({.lcore = lcores[q], .queues = {}});
        }
        pollers[q % lcores.size()].queues.push_back(queues[q]);
    }
    return pollers;
}

std::uint32_t default_streams(const std::vector<std::string>& eal_arguments, std::size_t pollers)
{
    return ports::names_lcores(eal_arguments) ? static_cast<std::uint32_t>(pollers) : 1;
}

}  // namespace dpdkperf::app
