// Cost of the engine's steps, without a NIC: bench_tcp [--benchmark_filter=…]. For instructions,
// which do not depend on what else the machine does, see docs/tcp-engine.md.
#include "dpdkperf/tcp/connection.hpp"
#include "offset.hpp"

#include <algorithm>
#include <utility>

#include <benchmark/benchmark.h>

namespace dpdkperf::tcp {
namespace {

using std::chrono::microseconds;

constexpr Offset kSlot = 1'448;
constexpr std::uint32_t kWindow = 20'000;

// An established sender with `kWindow` segments allowed in flight, and what its peer would send.
class Bench {
public:
    Bench()
    {
        Settings settings;
        settings.congestion = Algorithm::kFixed;
        settings.fixed_window_segments = kWindow;
        settings.receive_window_bytes = 1U << 30U;
        connection.connect(settings, now);
        Segment syn;
        connection.next_segment(now, syn);
        now += microseconds{20};
        Arrival answer;
        answer.header.flags = wire::kTcpSyn | wire::kTcpAck;
        answer.header.sequence = 99;
        answer.header.acknowledgment = 1;
        answer.header.options.mss = 1'460;
        answer.header.options.window_scale = 14;
        answer.header.options.sack_permitted = true;
        answer.header.options.timestamps = {1, 0};
        connection.on_segment(answer, now);
        in.header.flags = wire::kTcpAck;
        in.header.sequence = 100;
        in.header.window = 65'535;
        in.header.acknowledgment = 1;
        in.header.options.timestamps = {1, 0};
        connection.on_segment(in, now);
        connection.offer(~std::uint64_t{0});
        Segment out;
        while (connection.next_segment(now, out)) {
        }
    }

    // Sends until nothing more may leave; time passes so that pacing is never in the way.
    void fill()
    {
        Segment out;
        bool sent = true;
        while (sent) {
            now += microseconds{200};
            sent = false;
            while (connection.next_segment(now, out)) {
                sent = true;
                sent_end = std::max(sent_end, out.stream_offset + out.payload_bytes);
            }
        }
    }

    // Everything arrives, and the window is full again.
    void acknowledge_all()
    {
        acked = sent_end;
        in.header.acknowledgment = static_cast<std::uint32_t>(acked) + 1;
        const std::uint8_t blocks = std::exchange(in.header.options.sack_count, std::uint8_t{0});
        connection.on_segment(in, now);
        in.header.options.sack_count = blocks;
        fill();
    }

    Connection connection;
    Arrival in;
    Moment now{std::chrono::hours{1}};
    std::uint64_t sent_end = 0;
    std::uint64_t acked = 0;
};

// Builds segments one by one, and the acknowledgment that makes room for the next 45: the whole
// cost of the sending half.
void build_and_acknowledge(benchmark::State& state)
{
    Bench b;
    b.fill();
    Segment out;
    std::uint64_t segments = 0;
    for (auto _ : state) {
        b.now += microseconds{50};
        b.acked += 45 * kSlot;
        b.in.header.acknowledgment = static_cast<std::uint32_t>(b.acked) + 1;
        b.connection.on_segment(b.in, b.now);
        while (b.connection.next_segment(b.now, out)) {
            benchmark::DoNotOptimize(out);
            ++segments;
        }
    }
    state.counters["segments/ack"] =
        static_cast<double>(segments) / static_cast<double>(state.iterations());
}
BENCHMARK(build_and_acknowledge);

// Blocks that have not been reported before; the holes between them are judged lost on the way.
void three_sack_blocks(benchmark::State& state, Offset block_slots, Offset gap_slots)
{
    Bench b;
    b.fill();
    b.in.header.options.sack_count = 3;
    Offset at = 1;
    for (auto _ : state) {
        if (at + 3 * (block_slots + gap_slots) > kWindow - 100) {
            state.PauseTiming();
            b.acknowledge_all();
            at = 1;
            state.ResumeTiming();
        }
        for (std::size_t i = 0; i < 3; ++i) {
            const auto left = static_cast<Offset>(b.acked) + at * kSlot + 1;
            b.in.header.options.sack[i] = {static_cast<std::uint32_t>(left),
                static_cast<std::uint32_t>(left + block_slots * kSlot)};
            at += block_slots + gap_slots;
        }
        b.connection.on_segment(b.in, b.now);
    }
}
BENCHMARK_CAPTURE(three_sack_blocks, of_44_segments, 44, 1);
BENCHMARK_CAPTURE(three_sack_blocks, of_one_hostile, 1, 1);

void receive_in_order(benchmark::State& state)
{
    Bench b;
    Segment out;
    for (auto _ : state) {
        b.in.payload_bytes = kSlot;
        b.connection.on_segment(b.in, b.now);
        b.in.header.sequence += kSlot;
        while (b.connection.acknowledgment_urgent() && b.connection.next_segment(b.now, out)) {
        }
    }
}
BENCHMARK(receive_in_order);

void receive_out_of_order(benchmark::State& state)
{
    Bench b;
    Segment out;
    const std::uint32_t base = b.in.header.sequence;
    std::uint32_t i = 0;
    for (auto _ : state) {  // islands, each of which grows by a segment in turn
        b.in.payload_bytes = kSlot;
        b.in.header.sequence =
            base + (i % 100 * 200 + 1 + i / 100 % 150) * static_cast<std::uint32_t>(kSlot);
        ++i;
        b.connection.on_segment(b.in, b.now);
        while (b.connection.acknowledgment_urgent() && b.connection.next_segment(b.now, out)) {
        }
    }
}
BENCHMARK(receive_out_of_order);

}  // namespace
}  // namespace dpdkperf::tcp

BENCHMARK_MAIN();
