#pragma once

#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/udp_headers.hpp"

#include <cstring>
#include <vector>

namespace dpdkperf::wire {

/// A datagram of `payload_bytes` with a valid checksum, and Ethernet padding behind it.
inline std::vector<std::byte> udp_frame(
    bool ipv4, std::size_t payload_bytes = 17, std::size_t padding = 0)
{
    const UdpFlow flow{.source_mac = {},
        .next_hop = {},
        .source = {*IpAddress::parse(ipv4 ? "192.0.2.1" : "2001:db8::1"), 1000},
        .destination = {*IpAddress::parse(ipv4 ? "192.0.2.2" : "2001:db8::2"), 5201}};
    const std::vector<std::byte> payload(payload_bytes, std::byte{0x5a});
    const UdpHeaders headers{flow, static_cast<std::uint16_t>(payload.size())};
    std::vector<std::byte> frame{headers.bytes().begin(), headers.bytes().end()};
    frame.insert(frame.end(), payload.begin(), payload.end());
    const std::uint16_t sum = finish_udp(add_bytes(headers.base_sum(), payload));
    std::memcpy(&frame[headers.checksum_offset()], &sum, sizeof sum);
    frame.resize(frame.size() + padding);
    return frame;
}

/// Of IPv4 without options.
inline void fix_ip_checksum(std::vector<std::byte>& frame)
{
    std::byte* ip = &frame[kEthernetSize];
    std::memset(ip + kIpv4Checksum, 0, 2);
    const std::uint16_t sum = finish(add_bytes(0, {ip, kIpv4Size}));
    std::memcpy(ip + kIpv4Checksum, &sum, sizeof sum);
}

}  // namespace dpdkperf::wire
