// Memory is taken when a connection is made, and never again; and no peer can make it more.
#include "dpdkperf/tcp/connection.hpp"
#include "full_size.hpp"
#include "script.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

namespace {

std::atomic<std::uint64_t>& allocated_bytes()
{
    static std::atomic<std::uint64_t> bytes{0};
    return bytes;
}

}  // namespace

// GCC 12 at -O1 inlines the delete below into gtest and takes its free() for a mismatch, although
// the new it belongs to is ours as well.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// Counts what this program allocates. NOLINTBEGIN(misc-definitions-in-headers): replacements
void* operator new(std::size_t size)
{
    allocated_bytes() += size;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}
// NOLINTEND(misc-definitions-in-headers)

namespace dpdkperf::tcp::sim {
namespace {

TEST(TcpMemory, OfASenderOf32768SegmentsIsAtMost256KB)
{
    const std::uint64_t before = allocated_bytes();
    const Connection connection{{.segments_in_flight = 32'768}};
    EXPECT_LE(allocated_bytes() - before, 256U * 1024U);
}

// Hands everything that `from` wants to send to `to`, except every `lose`th segment.
void exchange(
    Connection& from, Connection& to, Moment now, std::uint64_t& count, std::uint64_t lose)
{
    Segment segment;
    while (from.next_segment(now, segment)) {
        if (++count % lose != 0) {
            to.on_segment(
                {.header = segment.header, .payload_bytes = segment.payload_bytes, .head = {}},
                now);
        }
    }
}

TEST(TcpMemory, IsNotTakenOnceAConnectionExists)
{
    Connection a{{.segments_in_flight = 1'024}};
    Connection b{{.segments_in_flight = 1'024}};
    Settings settings;
    Moment now{seconds{1}};
    const std::uint64_t before = allocated_bytes();
    std::uint64_t count = 0;
    for (int use = 0; use < 2; ++use) {
        b.listen(settings, now);
        a.connect(settings, now);
        a.offer(5'000'000);
        a.close(now);  // refused: not open yet
        a.connect(settings, now);
        a.offer(5'000'000);
        for (int turn = 0; turn < 40'000 && a.acknowledged() < 5'000'000; ++turn) {
            exchange(a, b, now, count, 50);
            exchange(b, a, now, count, 50);
            now += microseconds{300};
        }
        EXPECT_EQ(a.acknowledged(), 5'000'000U);
        EXPECT_GT(a.info(now).segments_retransmitted, 10U);
    }
    EXPECT_EQ(allocated_bytes(), before);
}

// Case 23: a window of 20,000 segments, and a peer that SACKs every second one, a million times.
// What an ACK costs at most is watched by tests/perf/tcp_cost.py.
TEST(TcpMemory, DoesNotGrowUnderHostileSacks)
{
    constexpr Offset kSlot = 1'448;
    constexpr std::uint32_t kWindow = 20'000;
    Settings settings;
    settings.congestion = Algorithm::kFixed;
    settings.fixed_window_segments = kWindow;
    Script s{settings, {.segments_in_flight = 32'768}};
    s.connect({.scale = 10}, microseconds{10});
    s.in({.window = 65'535});
    s.offer(kWindow * kSlot);
    for (int i = 0; i < 1'000 && s.info().bytes_sent < kWindow * kSlot; ++i) {
        s.after(milliseconds{1});
    }
    ASSERT_EQ(s.info().bytes_sent, static_cast<std::uint64_t>(kWindow * kSlot));
    s.take();
    Arrival arrival;
    arrival.header.flags = wire::kTcpAck;
    arrival.header.sequence = Script::kPeerIsn + 1;
    arrival.header.acknowledgment = Script::kOurIsn + 1;
    arrival.header.window = 65'535;
    arrival.header.options.sack_count = 3;
    arrival.header.options.timestamps = {0xffff'ff00, s.our_timestamp()};
    const std::uint64_t before = allocated_bytes();
    Segment out;
    const auto acks = static_cast<Offset>(full_size(1'000'000, 30'000));
    for (Offset i = 0; i < acks; ++i) {
        for (Offset block = 0; block < 3; ++block) {
            const Offset left = ((6 * i + 2 * block) % kWindow + 1) * kSlot;
            arrival.header.options.sack[static_cast<std::size_t>(block)] = {
                sequence_of(left, Script::kOurIsn + 1),
                sequence_of(left + kSlot, Script::kOurIsn + 1)};
        }
        s.connection().on_segment(arrival, s.moment());
        while (s.connection().next_segment(s.moment(), out)) {
        }
    }
    EXPECT_EQ(allocated_bytes(), before);
    EXPECT_STREQ(s.connection().broken_invariant(), nullptr);
    s.after(milliseconds{1});
    s.in({.ack = kWindow * kSlot});
    EXPECT_EQ(s.connection().acknowledged(), static_cast<std::uint64_t>(kWindow * kSlot));
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
