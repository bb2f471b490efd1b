#include "filler.hpp"

#include <algorithm>
#include <random>

namespace dpdkperf::engine {

Filler::Filler(std::size_t frame_bytes) : random_(frame_bytes), digits_(frame_bytes)
{
    // Seeded afresh for each run as iperf3's is; nobody looks at it, but a compressing link must
    // not find the same bytes in every run.
    std::mt19937_64 random{std::random_device{}()};
    std::generate(random_.begin(), random_.end(), [&] { return static_cast<std::byte>(random()); });
    for (std::size_t i = 0; i < frame_bytes; ++i) {
        digits_[i] = static_cast<std::byte>('0' + i % 10);  // iperf 3.12, src/iperf_util.c
    }
}

}  // namespace dpdkperf::engine
