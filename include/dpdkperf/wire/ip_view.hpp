#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// Why a frame does not hold a whole IP packet that we can take.
enum class IpFault : std::uint8_t {
    kNone,
    kNotIp,     // another EtherType
    kLength,    // shorter than its headers say
    kChecksum,  // the IPv4 header checksum is wrong
    kFragment,  // a fragment: we neither send nor reassemble them
};

// An IP packet within a received frame. Points into the frame, and owns nothing.
struct IpView {
    IpFault fault = IpFault::kNone;
    bool ipv4 = true;
    std::uint8_t protocol = 0;  // IPv6: the first next header, extension headers are not followed
    Ecn ecn = Ecn::kNotCapable;
    IpAddress source, destination;
    // By the length in the header: no Ethernet padding. The span is what of it lies in the frame's
    // first piece.
    std::size_t payload_bytes = 0;
    std::span<const std::byte> payload;
};

// Reads an Ethernet frame, without FCS, that lies in one piece.
IpView parse_ip(std::span<const std::byte> frame) noexcept;

// Reads one of `frame_bytes` that begins with `piece`, which holds at least the IP header.
IpView parse_ip(std::span<const std::byte> piece, std::size_t frame_bytes) noexcept;

// Reads a packet as ICMP quotes it: without a frame, cut anywhere behind its header, and with an
// IPv4 header whose checksum the routers on the way need not have kept right.
IpView parse_quoted_ip(std::span<const std::byte> quote, bool ipv4) noexcept;

}  // namespace dpdkperf::wire
