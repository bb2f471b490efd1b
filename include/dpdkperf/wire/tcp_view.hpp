#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/ip_view.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// Why a frame is not a segment that we can take.
enum class TcpFault : std::uint8_t {
    kNone,
    kNotTcp,      // another protocol, a fragment, or IPv6 extension headers
    kLength,      // IP or TCP shorter than its headers say, or a data offset below 5
    kIpChecksum,  // the IPv4 header checksum is wrong
    kAddress,     // from a multicast or from its own destination (RFC 9293, MUST-57; "LAND")
};

// A TCP segment within a received frame. Points into the frame, and owns nothing.
struct TcpView {
    TcpFault fault = TcpFault::kNone;
    bool ipv4 = true;
    Ecn ecn = Ecn::kNotCapable;
    Endpoint source, destination;
    TcpHeader header;
    std::size_t tcp_bytes = 0;  // header, options and payload
    std::size_t payload_bytes = 0;
    // What of these lies in the frame's first piece.
    std::span<const std::byte> tcp, payload;
};

// Whether a frame looks like TCP, before anything is checked.
inline bool carries_tcp(std::span<const std::byte> frame) noexcept
{
    constexpr std::size_t kIpv4At = kEthernetSize + kIpv4Protocol;
    constexpr std::size_t kIpv6At = kEthernetSize + kIpv6NextHeader;
    if (frame.size() < kEthernetSize + kIpv4Size) {
        return false;
    }
    const auto type = load_be<std::uint16_t>(&frame[kEtherType]);
    return (type == kEtherTypeIpv4 && frame[kIpv4At] == std::byte{kProtocolTcp}) ||
           (type == kEtherTypeIpv6 && frame[kIpv6At] == std::byte{kProtocolTcp});
}

// Reads a whole Ethernet frame, without FCS. Headers and lengths are always checked, the TCP
// checksum is not: see tcp_checksum_ok().
TcpView parse_tcp(std::span<const std::byte> frame) noexcept;

// Likewise, of `frame_bytes` that begin with `piece`, which holds at least all headers.
TcpView parse_tcp(std::span<const std::byte> piece, std::size_t frame_bytes) noexcept;

// `rest`: the further pieces of the frame.
bool tcp_checksum_ok(
    const TcpView& view, std::span<const std::span<const std::byte>> rest = {}) noexcept;

// True if the checksum field holds the sum of the pseudo-header alone: what Linux leaves for a
// device that would complete it, seen on veth, tun and virtio (CHECKSUM_PARTIAL).
bool tcp_checksum_partial(const TcpView& view) noexcept;

}  // namespace dpdkperf::wire
