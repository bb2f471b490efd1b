#pragma once

#include <cstdint>

namespace dpdkperf::tcp {

// A position in a stream, counted from its first byte: the SYN is at -1, the FIN behind the last
// byte. 64 bits never wrap, so that everything behind the border of the engine compares plainly;
// sequence numbers exist in headers only.
using Offset = std::int64_t;

// The position that `sequence` stands for, if it is less than 2^31 from `near` (RFC 9293, 3.4).
// `first` is the sequence number of offset 0.
constexpr Offset offset_of(std::uint32_t sequence, std::uint32_t first, Offset near)
{
    const std::uint32_t at_near = first + static_cast<std::uint32_t>(near);
    return near + static_cast<std::int32_t>(sequence - at_near);
}

constexpr std::uint32_t sequence_of(Offset offset, std::uint32_t first)
{
    return first + static_cast<std::uint32_t>(offset);
}

static_assert(offset_of(0x10, 0xffff'fff0, 0) == 0x20);  // across the wrap
static_assert(offset_of(0xffff'fff0, 0x10, 0) == -0x20);
static_assert(offset_of(7, 7, 0x3'0000'0005) == 0x3'0000'0000);

// Bytes [left, right) of a stream.
struct Range {
    Offset left = 0;
    Offset right = 0;

    friend constexpr bool operator==(const Range&, const Range&) = default;
};

}  // namespace dpdkperf::tcp
