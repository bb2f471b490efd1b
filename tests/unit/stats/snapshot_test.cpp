#include "dpdkperf/stats/snapshot.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace dpdkperf::stats {
namespace {

Snapshot snapshot_of(std::uint64_t edge)
{
    Snapshot s;
    s.edge = edge;
    s.bytes = {edge * 1000};
    s.packets = edge * 10;
    s.lost = -static_cast<std::int64_t>(edge);
    s.jitter_s = static_cast<double>(edge) / 2;
    s.ring_full = edge * 7;
    return s;
}

TEST(SnapshotSlots, GivesAnEdgeOnlyAfterItWasPublished)
{
    SnapshotSlots slots;
    EXPECT_FALSE(slots.read(0));
    EXPECT_FALSE(slots.read(1));
    slots.publish(snapshot_of(1));
    EXPECT_FALSE(slots.read(2));
    const auto read = slots.read(1);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->bytes.value, 1000U);
    EXPECT_EQ(read->lost, -1);
    EXPECT_EQ(read->jitter_s, 0.5);
    EXPECT_EQ(read->ring_full, 7U);
}

TEST(SnapshotSlots, KeepsTheNewestAndForgetsTheOldest)
{
    SnapshotSlots slots;
    for (std::uint64_t edge = 1; edge <= SnapshotSlots::kSlots + 1; ++edge) {
        slots.publish(snapshot_of(edge));
    }
    EXPECT_FALSE(slots.read(1));
    EXPECT_TRUE(slots.read(2));
    slots.publish(snapshot_of(kFinalEdge));
    EXPECT_TRUE(slots.read(kFinalEdge));
}

TEST(SnapshotSlots, NeverTearsWhileThePollerOverwrites)
{
    SnapshotSlots slots;
    std::atomic<std::uint64_t> newest{0};
    constexpr std::uint64_t kEdges = 200'000;
    std::jthread poller{[&] {
        for (std::uint64_t edge = 1; edge <= kEdges; ++edge) {
            slots.publish(snapshot_of(edge));
            newest.store(edge, std::memory_order_release);
        }
    }};
    std::uint64_t read = 0;
    for (std::uint64_t edge = 0; edge < kEdges;) {
        edge = newest.load(std::memory_order_acquire);
        if (const auto s = slots.read(edge)) {
            ++read;
            ASSERT_EQ(s->bytes.value, edge * 1000);
            ASSERT_EQ(s->packets, edge * 10);
            ASSERT_EQ(s->ring_full, edge * 7);
        }
    }
    EXPECT_GT(read, 0U);
}

}  // namespace
}  // namespace dpdkperf::stats
