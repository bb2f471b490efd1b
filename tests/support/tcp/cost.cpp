// tcp_cost CASE STEPS: makes steps of a case, for tests/perf/tcp_cost.py to count instructions.
#include "cost_cases.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dpdkperf::tcp::sim {
namespace {

template <class Case>
bool run(long steps)
{
    Case c;
    for (long i = 0; i < steps; ++i) {
        if (c.exhausted()) {
            return false;
        }
        c.step();
    }
    return true;
}

struct Named {
    std::string_view name;
    bool (*run)(long steps);
};

constexpr Named kCases[] = {
    {"send_segments", run<SendSegments>},
    {"send_super_segments", run<SendSuperSegments>},
    {"send_behind_small_acks", run<SendBehindSmallAcks>},
    {"sack_blocks", run<SackBlocks>},
    {"sack_odd_segments", run<SackOddSegments>},
    {"sack_odd_segments_again", run<SackOddSegmentsAgain>},
    {"hostile_scan", run<HostileScan>},
    {"receive_in_order", run<ReceiveInOrder>},
    {"receive_out_of_order", run<ReceiveOutOfOrder>},
    {"receive_islands_backwards", run<ReceiveIslandsBackwards>},
};

}  // namespace
}  // namespace dpdkperf::tcp::sim

int main(int argc, char** argv)
{
    if (argc == 3) {
        for (const auto& known : dpdkperf::tcp::sim::kCases) {
            if (known.name == argv[1]) {
                return known.run(std::atol(argv[2])) ? 0 : 1;
            }
        }
    }
    std::fprintf(stderr, "usage: tcp_cost CASE STEPS\n");
    return 2;
}
