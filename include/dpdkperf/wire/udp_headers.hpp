#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// One direction of a UDP flow, from the sender's point of view. Addresses of one family.
struct UdpFlow {
    Mac source_mac, next_hop;
    Endpoint source, destination;
    std::uint8_t tos = 0;          // IPv4 TOS or IPv6 traffic class
    std::uint32_t flow_label = 0;  // IPv6, 20 bits; 0: none
};

// Ethernet, IP and UDP headers of one flow for datagrams of one length, built once. The UDP
// checksum field is 0; base_sum() is the sum to which the payload is added.
//
// The IPv4 identification is 0 in every packet: a datagram that must not be fragmented needs
// none (RFC 6864, 4.1), and nobody has to touch the IP header again.
class UdpHeaders {
public:
    // payload_bytes: at most 65507 (IPv4) or 65527 (IPv6).
    UdpHeaders(const UdpFlow& flow, std::uint16_t payload_bytes);

    [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.data(), size_}; }
    [[nodiscard]] std::size_t checksum_offset() const { return size_ - kUdpSize + kUdpChecksum; }
    // Pseudo-header and UDP header.
    [[nodiscard]] ChecksumSum base_sum() const { return base_sum_; }

private:
    void write_ipv4(const UdpFlow& flow, std::uint16_t udp_length);
    void write_ipv6(const UdpFlow& flow, std::uint16_t udp_length);

    std::array<std::byte, kMaxUdpHeaderSize> bytes_{};
    std::size_t size_ = 0;
    ChecksumSum base_sum_ = 0;
};

}  // namespace dpdkperf::wire
