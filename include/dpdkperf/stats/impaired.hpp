#pragma once

#include <cstdint>

namespace dpdkperf::stats {

// What --impair has done to the packets of one direction.
struct ImpairedPackets {
    std::uint64_t lost = 0, twice = 0, reordered = 0;
    std::uint64_t overflown = 0;  // lost because too many were waiting

    friend ImpairedPackets operator+(const ImpairedPackets& a, const ImpairedPackets& b)
    {
        return {a.lost + b.lost, a.twice + b.twice, a.reordered + b.reordered,
            a.overflown + b.overflown};
    }
    friend ImpairedPackets operator-(const ImpairedPackets& a, const ImpairedPackets& b)
    {
        return {a.lost - b.lost, a.twice - b.twice, a.reordered - b.reordered,
            a.overflown - b.overflown};
    }
};

struct Impaired {
    ImpairedPackets transmitted, received;

    friend Impaired operator+(const Impaired& a, const Impaired& b)
    {
        return {a.transmitted + b.transmitted, a.received + b.received};
    }
    friend Impaired operator-(const Impaired& a, const Impaired& b)
    {
        return {a.transmitted - b.transmitted, a.received - b.received};
    }
};

}  // namespace dpdkperf::stats
