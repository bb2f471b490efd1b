#include "dpdkperf/stats/edges.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::stats {
namespace {

using namespace std::chrono_literals;

std::vector<Edge> first(const EdgeSchedule& schedule, std::uint64_t n)
{
    std::vector<Edge> edges;
    for (std::uint64_t i = 1; i <= n && schedule.has(i); ++i) {
        edges.push_back(schedule.edge(i));
    }
    return edges;
}

struct Expected {
    std::chrono::nanoseconds at;
    bool closes_interval, ends_omit;
};

void expect_edges(const EdgeSchedule& schedule, const std::vector<Expected>& expected)
{
    const auto edges = first(schedule, expected.size());
    ASSERT_EQ(edges.size(), expected.size());
    for (std::size_t i = 0; i < edges.size(); ++i) {
        SCOPED_TRACE(i);
        EXPECT_EQ(edges[i].number, i + 1);
        EXPECT_EQ(edges[i].at, expected[i].at);
        EXPECT_EQ(edges[i].closes_interval, expected[i].closes_interval);
        EXPECT_EQ(edges[i].ends_omit, expected[i].ends_omit);
    }
}

TEST(EdgeSchedule, ClosesAnIntervalEverySecond)
{
    expect_edges({0s, 1s}, {{1s, true, false}, {2s, true, false}, {3s, true, false}});
}

TEST(EdgeSchedule, EndsOmitWithAnIntervalWhereTheyCoincide)
{
    expect_edges({2s, 1s}, {{1s, true, false}, {2s, true, true}, {3s, true, false}});
}

TEST(EdgeSchedule, DropsTheIntervalThatOmitCutsOff)
{
    expect_edges({1s, 400ms},
        {{400ms, true, false}, {800ms, true, false}, {1s, false, true}, {1400ms, true, false}});
}

TEST(EdgeSchedule, StillEndsOmitWithoutIntervals)
{
    const EdgeSchedule schedule{3s, 0s};
    expect_edges(schedule, {{3s, false, true}});
    EXPECT_FALSE(schedule.has(2));
    EXPECT_FALSE(EdgeSchedule(0s, 0s).has(1));
}

TEST(EdgeSchedule, DoesNotDriftInADay)
{
    EXPECT_EQ(EdgeSchedule(0s, 100ms).edge(864'000).at, 24h);
}

}  // namespace
}  // namespace dpdkperf::stats
