#pragma once

#include "dpdkperf/base/units.hpp"

#include <algorithm>
#include <cstdint>

namespace dpdkperf::stats {

// Packets, and what they take of a link.
struct FrameCount {
    std::uint64_t packets = 0;
    FrameBytes frames;
    WireBytes wire;

    // `count` packets of this size.
    constexpr void add(FrameBytes frame, std::uint64_t count = 1) noexcept
    {
        packets += count;
        frames.value += count * frame.value;
        wire.value += count * wire_bytes(frame).value;
    }

    // A segment that is cut into packets of `packet_payload` each, the last one's rest excepted;
    // `headers` in front of each. One without payload is a packet as well.
    constexpr void add_segment(
        FrameBytes headers, std::uint64_t payload, std::uint64_t packet_payload) noexcept
    {
        if (payload <= packet_payload) {  // as nearly always: no division
            return add({headers.value + payload});
        }
        const std::uint64_t full = (payload - 1) / packet_payload;
        add({headers.value + packet_payload}, full);
        add({headers.value + payload - full * packet_payload});
    }

    friend constexpr FrameCount operator+(const FrameCount& a, const FrameCount& b)
    {
        return {a.packets + b.packets, a.frames + b.frames, a.wire + b.wire};
    }
    friend constexpr FrameCount operator-(const FrameCount& a, const FrameCount& b)
    {
        return {a.packets - b.packets, a.frames - b.frames, a.wire - b.wire};
    }
    friend constexpr bool operator==(const FrameCount&, const FrameCount&) = default;
};

}  // namespace dpdkperf::stats
