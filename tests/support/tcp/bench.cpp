// Time that the engine's steps take, without a NIC: bench_tcp [--benchmark_filter=…]. Instructions,
// which do not depend on what else the machine does, are counted by tests/perf/tcp_cost.py.
#include "cost_cases.hpp"

#include <benchmark/benchmark.h>

namespace dpdkperf::tcp::sim {
namespace {

template <class Case>
void run(benchmark::State& state)
{
    Case steps;
    for (auto _ : state) {
        if (steps.exhausted()) {
            state.PauseTiming();
            steps.start_again();
            state.ResumeTiming();
        }
        steps.step();
    }
}

BENCHMARK(run<SendSegments>)->Name("ack_of_45_and_send_45_segments");
BENCHMARK(run<SendSuperSegments>)->Name("ack_of_45_and_send_super_segment");
BENCHMARK(run<SendBehindSmallAcks>)->Name("ack_of_2_and_send_2_segments");
BENCHMARK(run<SackBlocks>)->Name("three_sack_blocks_of_44");
BENCHMARK(run<SackOddSegments>)->Name("three_sack_blocks_of_1");
BENCHMARK(run<SackOddSegmentsAgain>)->Name("three_sack_blocks_of_1_again");
BENCHMARK(run<HostileScan>)->Name("hostile_scan");
BENCHMARK(run<ReceiveInOrder>)->Name("receive_45_in_order");
BENCHMARK(run<ReceiveOutOfOrder>)->Name("receive_out_of_order");
BENCHMARK(run<ReceiveIslandsBackwards>)->Name("receive_islands_backwards");

}  // namespace
}  // namespace dpdkperf::tcp::sim

BENCHMARK_MAIN();
