#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/endian.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// The Internet checksum (RFC 1071) as a running sum of 16-bit words in the order of this host.
// The sum does not depend on byte order (RFC 1071, 2(B)), so nothing is swapped: what comes out of
// finish() is stored as it is. Larger words may be added too, because 2^16 = 1 modulo 2^16 - 1.
using ChecksumSum = std::uint64_t;

// Adds the words of `bytes`; an odd last byte is padded with zero. Only the last piece of a packet
// may have an odd length.
ChecksumSum add_bytes(ChecksumSum sum, std::span<const std::byte> bytes) noexcept;

// Adds the pseudo-header of UDP or TCP (RFC 768, RFC 8200 8.1). Both addresses of one family.
ChecksumSum add_pseudo_header(ChecksumSum sum, const IpAddress& source,
    const IpAddress& destination, std::uint8_t protocol, std::uint32_t length) noexcept;

// Folds a sum below 2^63 to 16 bits: 0xffff or 0 for a valid packet.
constexpr std::uint16_t fold(ChecksumSum sum) noexcept
{
    sum = (sum & 0xffff'ffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

// What the bytes of a folded sum add to that of a packet in which they begin at an odd place, or at
// an even one: a sum of bytes that have all moved by one place is the swapped sum (RFC 1071, 2(B)).
constexpr std::uint16_t at_place(std::uint16_t part, bool odd) noexcept
{
    return odd ? byte_swap(part) : part;
}

// The checksum field that makes a packet with this sum valid, ready to be stored.
constexpr std::uint16_t finish(ChecksumSum sum) noexcept
{
    return static_cast<std::uint16_t>(~fold(sum));
}

// The same for UDP, where 0 would mean "no checksum" (RFC 768).
constexpr std::uint16_t finish_udp(ChecksumSum sum) noexcept
{
    const std::uint16_t checksum = finish(sum);
    return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

// finish_udp() for the sum of a few words, below 2^20: two folds are enough.
constexpr std::uint16_t finish_udp_small(std::uint32_t sum) noexcept
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    const auto checksum = static_cast<std::uint16_t>(~sum);
    return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

}  // namespace dpdkperf::wire
