#pragma once

#include "dpdkperf/base/endian.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// What iperf3 writes at the start of a UDP payload (iperf 3.12, src/iperf_udp.c): seconds and
// microseconds of the sender's clock, and a sequence number from 1, all big endian; then filler.
struct Stamp {
    std::uint32_t seconds = 0;
    std::uint32_t microseconds = 0;  // 0 to 999999
    std::uint64_t sequence = 0;
};

inline constexpr std::size_t kStampSize = 12;      // 32-bit sequence number
inline constexpr std::size_t kStampSizeWide = 16;  // --udp-counters-64bit
inline constexpr std::size_t kStampSequence = 8;   // offset of the sequence number

// The first word of the two-way handshake that opens a UDP stream, and its answer, as bytes on the
// wire (iperf 3.12, src/iperf_udp.c: UDP_CONNECT_MSG, UDP_CONNECT_REPLY and their old forms).
inline constexpr std::size_t kHelloSize = 4;
inline constexpr std::uint32_t kHello = 0x39383736;        // "9876"
inline constexpr std::uint32_t kReply = 0x36373839;        // "6789"
inline constexpr std::uint32_t kLegacyReply = 0xb168de3a;  // up to 3.11: 987654321 on a PC
inline constexpr std::uint32_t kBigEndianReply = kHello;   // 3.12 to 3.16
inline constexpr std::uint32_t kBigEndianLegacyReply = 0x3ade68b1;

// Reads the stamp; nothing if the payload is too short for one.
inline bool read_stamp(std::span<const std::byte> payload, bool wide, Stamp& stamp) noexcept
{
    if (payload.size() < (wide ? kStampSizeWide : kStampSize)) {
        return false;
    }
    stamp.seconds = load_be<std::uint32_t>(payload.data());
    stamp.microseconds = load_be<std::uint32_t>(&payload[4]);
    stamp.sequence = wide ? load_be<std::uint64_t>(&payload[kStampSequence])
                          : load_be<std::uint32_t>(&payload[kStampSequence]);
    return true;
}

}  // namespace dpdkperf::wire
