// The corpus, and programs made at random, without libFuzzer: any compiler, any day.
#include "program.hpp"
#include "random.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> corpus(const char* name)
{
    std::vector<Bytes> all;
    const std::filesystem::path folder = std::filesystem::path{DPDKPERF_CORPUS} / name;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        std::ifstream file{entry.path(), std::ios::binary};
        all.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
    }
    return all;
}

TEST(TcpFuzz, CorpusRunsClean)
{
    const auto programs = corpus("program");
    EXPECT_FALSE(programs.empty());
    for (const Bytes& bytes : programs) {
        EXPECT_EQ(run_program(bytes), "");
    }
    for (const Bytes& bytes : corpus("options")) {
        EXPECT_EQ(run_options(bytes), "");
    }
}

TEST(TcpFuzz, RandomProgramsRunClean)
{
    sim::Random random{1};
    for (int i = 0; i < 3'000; ++i) {
        Bytes bytes(random.below(600));
        for (auto& b : bytes) {
            b = static_cast<std::uint8_t>(random.next());
        }
        ASSERT_EQ(run_program(bytes), "") << i;
        ASSERT_EQ(run_options(bytes), "") << i;
    }
}

}  // namespace
}  // namespace dpdkperf::tcp::fuzz
