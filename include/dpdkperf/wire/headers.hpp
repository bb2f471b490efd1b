#pragma once

#include <cstddef>
#include <cstdint>

namespace dpdkperf::wire {

// Sizes and offsets, in bytes, of the headers that we write and read. Offsets count from the
// beginning of the header they name.

inline constexpr std::size_t kEthernetSize = 14;  // IEEE 802.3, no VLAN tag
inline constexpr std::size_t kEtherDestination = 0;
inline constexpr std::size_t kEtherSource = 6;
inline constexpr std::size_t kEtherType = 12;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

inline constexpr std::size_t kIpv4Size = 20;  // RFC 791, without options
inline constexpr std::size_t kIpv4Tos = 1;
inline constexpr std::size_t kIpv4TotalLength = 2;
inline constexpr std::size_t kIpv4Id = 4;
inline constexpr std::size_t kIpv4Fragment = 6;
inline constexpr std::uint16_t kIpv4DontFragment = 0x4000;
inline constexpr std::uint16_t kIpv4FragmentMask = 0x3fff;  // more-fragments and offset
inline constexpr std::size_t kIpv4Ttl = 8;
inline constexpr std::size_t kIpv4Protocol = 9;
inline constexpr std::size_t kIpv4Checksum = 10;
inline constexpr std::size_t kIpv4Source = 12;
inline constexpr std::size_t kIpv4Destination = 16;

inline constexpr std::size_t kIpv6Size = 40;  // RFC 8200, without extensions
inline constexpr std::size_t kIpv6PayloadLength = 4;
inline constexpr std::size_t kIpv6NextHeader = 6;
inline constexpr std::size_t kIpv6HopLimit = 7;
inline constexpr std::size_t kIpv6Source = 8;
inline constexpr std::size_t kIpv6Destination = 24;

inline constexpr std::size_t kUdpSize = 8;  // RFC 768
inline constexpr std::size_t kUdpSourcePort = 0;
inline constexpr std::size_t kUdpDestinationPort = 2;
inline constexpr std::size_t kUdpLength = 4;
inline constexpr std::size_t kUdpChecksum = 6;

inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kDefaultTtl = 64;  // RFC 1700; what Linux sends

// Ethernet, IP and UDP header of a datagram of ours.
constexpr std::size_t udp_header_size(bool ipv4)
{
    return kEthernetSize + (ipv4 ? kIpv4Size : kIpv6Size) + kUdpSize;
}

inline constexpr std::size_t kMaxUdpHeaderSize = kEthernetSize + kIpv6Size + kUdpSize;

}  // namespace dpdkperf::wire
