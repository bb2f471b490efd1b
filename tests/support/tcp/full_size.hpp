#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace dpdkperf::tcp::sim {

// Some tests are as large as the cases they stand for only where that takes seconds. This is the
// part of `full` to run, at least `least`: all of it, or a twentieth without optimisation, under
// sanitizers and on a faulty engine; DPDKPERF_TCP_REDUCE sets another divisor than 1 or 20.
inline std::uint64_t full_size(std::uint64_t full, std::uint64_t least)
{
#if defined(__OPTIMIZE__) && !defined(DPDKPERF_TCP_REDUCED) && !defined(DPDKPERF_TCP_FAULTS)
    std::uint64_t divisor = 1;
#else
    std::uint64_t divisor = 20;
#endif
    if (const char* asked = std::getenv("DPDKPERF_TCP_REDUCE"); asked != nullptr) {
        divisor = std::max<std::uint64_t>(std::strtoull(asked, nullptr, 10), 1);
    }
    return std::max(full / divisor, least);
}

}  // namespace dpdkperf::tcp::sim
