#pragma once

#include "dpdkperf/base/address.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dpdkperf::wire {

// What an ICMP message says of a TCP or UDP packet that it quotes. Anybody can make one up:
// whether the quoted packet was ever sent is for the owner of its flow to say (RFC 5927, 4).
struct IcmpError {
    enum class Kind : std::uint8_t {
        kTooBig,         // for the next link, whose MTU is `mtu_bytes`
        kUndeliverable,  // the destination, or the way to it, does not take it
    };
    Kind kind = Kind::kUndeliverable;
    std::uint8_t protocol = 0;     // kProtocolTcp or kProtocolUdp
    Endpoint source, destination;  // of the quoted packet
    std::uint32_t sequence = 0;    // TCP
    std::uint32_t mtu_bytes = 0;   // 0: not told (RFC 1191, 5)
    // What Linux makes of it: the errno that an application sees, and whether one with a connected
    // UDP socket does (Linux 6.1, net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach).
    int error = 0;
    bool fatal = false;
};

// Reads an ICMP (else ICMPv6) message without its IP header. The checksum of ICMP is verified; that
// of ICMPv6 covers the addresses too, and is the kernel's to verify (RFC 3542, 3.1). Empty: broken,
// no error, or not of a TCP or UDP packet.
std::optional<IcmpError> parse_icmp_error(std::span<const std::byte> message, bool ipv4) noexcept;

}  // namespace dpdkperf::wire
