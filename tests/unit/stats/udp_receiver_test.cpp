#include "dpdkperf/stats/udp_receiver.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::stats {
namespace {

UdpReceiver after(const std::vector<std::uint64_t>& sequences)
{
    UdpReceiver receiver;
    for (const auto q : sequences) {
        receiver.on_datagram(q, 0, 0);
    }
    return receiver;
}

// Observed with iperf 3.12 servers, to which crafted datagrams were sent.
TEST(UdpReceiver, CountsLossAndReorderingAsIperf3Does)
{
    struct Case {
        std::vector<std::uint64_t> sequences;
        std::uint64_t highest;
        std::int64_t lost, out_of_order;
        std::uint64_t duplicates;
    };
    const Case cases[] = {
        {{1, 2, 3}, 3, 0, 0, 0},
        {{1, 4}, 4, 2, 0, 0},
        {{1, 3, 2}, 3, 0, 1, 0},     // late, not lost
        {{1, 2, 2, 3}, 3, 0, 1, 1},  // a copy is out of order
        {{1, 4, 1, 1}, 4, 0, 2, 2},  // and takes losses back
        {{0, 1}, 1, 0, 1, 0},        // sequence 0 is late
        {{5}, 5, 4, 0, 0},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(testing::PrintToString(c.sequences));
        const auto receiver = after(c.sequences);
        EXPECT_EQ(receiver.highest(), c.highest);
        EXPECT_EQ(receiver.lost(), c.lost);
        EXPECT_EQ(receiver.out_of_order(), c.out_of_order);
        EXPECT_EQ(receiver.duplicates(), c.duplicates);
        EXPECT_EQ(receiver.arrived(), c.sequences.size());
    }
}

// The rules of iperf3 and a set of all sequence numbers, on a path that loses, repeats and delays.
TEST(UdpReceiver, AgreesWithANaiveModelOnABadPath)
{
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random{seed};
        UdpReceiver receiver;
        std::set<std::uint64_t> seen;
        std::uint64_t highest = 0, copies = 0;
        std::int64_t lost = 0, late = 0;
        std::uint64_t next = 1;
        for (int i = 0; i < 50'000; ++i) {
            const auto dice = random() % 100;
            std::uint64_t q = next;
            if (dice < 5 && next > 200) {
                q = next - random() % 200;  // late or a copy
            } else if (dice == 5) {
                q = next + random() % 6000;  // a gap, sometimes beyond the window
            }
            if (q > highest) {
                lost += static_cast<std::int64_t>(q - highest - 1);
                highest = q;
            } else {
                ++late;
                if (lost > 0) {
                    --lost;
                }
            }
            const bool fresh = seen.insert(q).second;
            copies += !fresh && highest - q < UdpReceiver::kWindow;
            receiver.on_datagram(q, 0, 0);
            next = highest + 1;
        }
        EXPECT_EQ(receiver.highest(), highest);
        EXPECT_EQ(receiver.lost(), lost);
        EXPECT_EQ(receiver.out_of_order(), late);
        EXPECT_EQ(receiver.duplicates(), copies);
    }
}

// Runs of every length, which begin early, late, twice or behind a gap.
TEST(UdpReceiver, CountsARunAsItsDatagrams)
{
    for (unsigned seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random{seed};
        UdpReceiver runs, datagrams;
        std::uint64_t next = 1;
        double now = 0;
        for (int i = 0; i < 300; ++i) {
            const std::uint64_t back =
                random() % 4 == 0 ? random() % std::min<std::uint64_t>(next + 1, 200) : 0;
            const std::uint64_t first = next - back + (random() % 8 == 0 ? random() % 5000 : 0);
            const std::uint64_t count = 1 + random() % (random() % 10 == 0 ? 5000 : 130);
            const double sent = now - static_cast<double>(random() % 1000) * 1e-6;
            {
                UdpReceiver::Burst burst{runs};
                burst.on_run(first, count, sent, now);
            }
            for (std::uint64_t q = first; q < first + count; ++q) {
                datagrams.on_datagram(q, sent, now);
            }
            next = std::max(next, first + count);
            now += 1e-4;
            ASSERT_EQ(runs.highest(), datagrams.highest());
            ASSERT_EQ(runs.lost(), datagrams.lost());
            ASSERT_EQ(runs.out_of_order(), datagrams.out_of_order());
            ASSERT_EQ(runs.arrived(), datagrams.arrived());
            ASSERT_EQ(runs.duplicates(), datagrams.duplicates());
            ASSERT_EQ(runs.jitter_s(), datagrams.jitter_s());  // to the last bit
        }
    }
}

TEST(UdpReceiver, ARunEndsWhereNobodyCanHaveCounted)
{
    UdpReceiver receiver;
    {
        UdpReceiver::Burst burst{receiver};
        burst.on_run(UdpReceiver::kMostPackets - 1, 4, 0, 0);
    }
    EXPECT_EQ(receiver.highest(), UdpReceiver::kMostPackets);
    EXPECT_EQ(receiver.arrived(), 4U);
    EXPECT_EQ(receiver.out_of_order(), 2);
}

TEST(UdpReceiver, SmoothsJitterByASixteenthAndStartsWithTheFirstTransit)
{
    UdpReceiver receiver;
    receiver.on_datagram(1, 100.0, 0.010);  // clocks that differ by 100 s
    EXPECT_EQ(receiver.jitter_s(), 0.0);
    receiver.on_datagram(2, 101.0, 1.026);  // 16 ms nearer
    EXPECT_NEAR(receiver.jitter_s(), 0.001, 1e-9);
    receiver.on_datagram(3, 102.0, 2.026);
    EXPECT_NEAR(receiver.jitter_s(), 0.001 * 15 / 16, 1e-9);
    receiver.restart_jitter();
    EXPECT_EQ(receiver.jitter_s(), 0.0);
    receiver.on_datagram(4, 103.0, 9.0);  // the first after omit counts for nothing again
    EXPECT_EQ(receiver.jitter_s(), 0.0);
}

TEST(UdpReceiver, CountsPast32Bits)
{
    const std::uint64_t base = 1ULL << 40;
    const auto receiver = after({base, base + 1, base + 3});
    EXPECT_EQ(receiver.highest(), base + 3);
    EXPECT_EQ(receiver.lost(), static_cast<std::int64_t>(base));
}

TEST(UdpReceiver, NumbersThatNobodyCanHaveReachedMoveNothing)
{
    constexpr std::uint64_t most = UdpReceiver::kMostPackets, all = ~0ULL;
    const auto receiver = after({1, 2, all, most + 1, 1ULL << 63, all - 5, 4, 2, 6});
    EXPECT_EQ(receiver.highest(), 6);
    EXPECT_EQ(receiver.lost(), 1);  // 3 and 5, less the copy of 2
    EXPECT_EQ(receiver.out_of_order(), 5);
    EXPECT_EQ(receiver.duplicates(), 1);
    EXPECT_EQ(receiver.arrived(), 9);
    EXPECT_EQ(after({most, all, most - 1}).highest(), most);
}

}  // namespace
}  // namespace dpdkperf::stats
