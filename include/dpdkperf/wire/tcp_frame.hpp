#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// One direction of a TCP connection, from the sender's point of view. Addresses of one family.
struct TcpFlow {
    Mac source_mac, next_hop;
    Endpoint source, destination;
    std::uint8_t tos = 0;          // IPv4 TOS or IPv6 traffic class; its ECN bits are ignored
    std::uint32_t flow_label = 0;  // IPv6, 20 bits; 0: none
};

inline constexpr std::size_t kMaxTcpFrameHeader = kEthernetSize + kIpv6Size + kMaxTcpSize;

// What write() left in the buffer.
struct TcpFrameHeader {
    std::size_t size_bytes = 0;       // Ethernet, IP and TCP with options
    std::size_t checksum_offset = 0;  // of the TCP checksum field, which is 0
    ChecksumSum sum = 0;  // pseudo-header and TCP header: add the payload, then finish()
};

// Writes the headers in front of segments of one connection. What does not vary (Ethernet and most
// of IP) is computed once. The IPv4 identification is 0: a packet that must not be fragmented needs
// none (RFC 6864, 4.1); what a TSO engine counts up from 0 is as good.
class TcpFrameWriter {
public:
    explicit TcpFrameWriter(const TcpFlow& flow);

    // payload_bytes: at most 65535 minus the headers; a TSO super-segment is one segment here.
    TcpFrameHeader write(std::span<std::byte, kMaxTcpFrameHeader> to, const TcpHeader& header,
        std::uint32_t payload_bytes, Ecn ecn) const noexcept;

    [[nodiscard]] std::size_t ip_size() const { return ipv4_ ? kIpv4Size : kIpv6Size; }
    // Of a pseudo-header whose length is 0: what a device that cuts segments wants folded in the
    // field of the TCP checksum.
    [[nodiscard]] ChecksumSum pseudo_header_sum() const { return pseudo_sum_; }

private:
    void write_ipv4(const TcpFlow& flow);
    void write_ipv6(const TcpFlow& flow);
    void patch_ip(std::byte* ip, std::size_t tcp_bytes, Ecn ecn) const noexcept;

    std::array<std::byte, kEthernetSize + kIpv6Size> bytes_{};  // lengths and ECN 0
    bool ipv4_;
    std::uint16_t source_port_, destination_port_;
    ChecksumSum ip_sum_ = 0;      // of the IPv4 header with length and ECN 0
    ChecksumSum pseudo_sum_ = 0;  // of the pseudo-header with length 0
};

}  // namespace dpdkperf::wire
