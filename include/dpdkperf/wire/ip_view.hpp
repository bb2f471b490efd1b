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
    std::span<const std::byte> payload;  // by the length in the header: no Ethernet padding
};

// Reads an Ethernet frame, without FCS.
IpView parse_ip(std::span<const std::byte> frame) noexcept;

}  // namespace dpdkperf::wire
