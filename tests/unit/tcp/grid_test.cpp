#include "grid.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

// Seeds 1 to DPDKPERF_TCP_SEEDS; a failing one is run again alone by `tcp_soak SEED 1`.
TEST(TcpGrid, EveryTransferCompletesAndNoInvariantBreaks)
{
    const char* asked = std::getenv("DPDKPERF_TCP_SEEDS");
    const std::uint64_t seeds = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 300;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        EXPECT_EQ(run_seed(seed), "");
    }
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
