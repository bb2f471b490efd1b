#pragma once

#include "dpdkperf/base/address.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// Why a frame is not a datagram that we can take.
enum class UdpFault : std::uint8_t {
    kNone,
    kNotUdp,    // another protocol, a fragment, or IPv6 extension headers
    kLength,    // shorter than its headers say
    kChecksum,  // the IPv4 header checksum is wrong
};

// A UDP datagram within a received frame. Points into the frame, and owns nothing.
struct UdpView {
    UdpFault fault = UdpFault::kNone;
    bool ipv4 = true;
    Endpoint source, destination;
    std::span<const std::byte> udp;  // UDP header and payload, by the length in the header

    [[nodiscard]] std::span<const std::byte> payload() const { return udp.subspan(8); }
};

// Reads a whole Ethernet frame, without FCS. Headers and lengths are always checked, the UDP
// checksum is not: see udp_checksum_ok().
UdpView parse_udp(std::span<const std::byte> frame) noexcept;

// True for a right checksum, and for a packet without one (IPv4 only; RFC 768, RFC 8200 8.1).
bool udp_checksum_ok(const UdpView& view) noexcept;

// True if the checksum field holds the sum of the pseudo-header alone: what Linux leaves for a
// device that would complete it, seen on veth, tun and virtio (CHECKSUM_PARTIAL).
bool udp_checksum_partial(const UdpView& view) noexcept;

}  // namespace dpdkperf::wire
