// tcp_soak [FIRST [COUNT]]: runs seeds FIRST to FIRST + COUNT - 1 of the grid and prints those that
// fail. Exit code 1 if any did.
#include "grid.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv)
{
    const std::uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
    const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10'000;
    std::uint64_t failed = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        if (const std::string fault = dpdkperf::tcp::sim::run_seed(seed); !fault.empty()) {
            std::printf("%s\n", fault.c_str());
            ++failed;
        }
    }
    std::printf("%llu seeds from %llu: %llu failed\n", static_cast<unsigned long long>(count),
        static_cast<unsigned long long>(first), static_cast<unsigned long long>(failed));
    return failed == 0 ? 0 : 1;
}
