#include "dpdkperf/impair/delay_line.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::impair {
namespace {

std::vector<int> due(DelayLine<int>& line, std::uint64_t now)
{
    std::vector<int> out;
    while (line.due(now)) {
        out.push_back(line.pop());
    }
    return out;
}

TEST(DelayLine, GivesThingsBackAtTheirTimeAndThoseOfOneTimeInOrder)
{
    DelayLine<int> line{8};
    for (const int value : {1, 2, 3, 4}) {
        line.push(100, value);
    }
    line.push(50, 5);
    line.push(150, 6);
    EXPECT_EQ(due(line, 49), (std::vector<int>{}));
    EXPECT_EQ(due(line, 100), (std::vector{5, 1, 2, 3, 4}));
    EXPECT_FALSE(line.empty());
    EXPECT_EQ(due(line, 1000), (std::vector{6}));
    EXPECT_TRUE(line.empty());
}

TEST(DelayLine, IsFullAtItsCapacity)
{
    DelayLine<int> line{2};
    line.push(1, 1);
    EXPECT_FALSE(line.full());
    line.push(1, 2);
    EXPECT_TRUE(line.full());
    line.pop();
    EXPECT_FALSE(line.full());
}

}  // namespace
}  // namespace dpdkperf::impair
