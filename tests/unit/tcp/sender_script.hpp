#pragma once

#include "script.hpp"

#include <cstdint>
#include <vector>

namespace dpdkperf::tcp::sim {

// What the tests of the sender begin with: the peer takes segments of 1448 bytes.
inline constexpr Offset kSlot = 1'448;
inline constexpr std::uint64_t kForever = ~std::uint64_t{0};

// Where the segments with payload begin.
inline std::vector<Offset> starts(const std::vector<Out>& sent)
{
    std::vector<Offset> result;
    for (const Out& out : sent) {
        if (out.segment.payload_bytes > 0) {
            result.push_back(out.seq);
        }
    }
    return result;
}

// Established, and the first ten segments are under way.
inline Script with_flight(In syn = {}, Settings settings = {}, std::uint64_t bytes = kForever)
{
    Script s{settings};
    s.connect(syn);
    s.offer(bytes);
    s.take();
    return s;
}

}  // namespace dpdkperf::tcp::sim
