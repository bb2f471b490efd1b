#pragma once

#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dpdkperf::tcp {

// Smaller ones would have us make a packet of every byte (CVE-2019-11479): full options and 8 bytes
// of data (Linux 6.1, include/net/tcp.h, TCP_MIN_SND_MSS).
inline constexpr std::uint32_t kMinPeerMss = 48;

// The MSS to offer, and to use at most. `mtu_bytes` and `max_segment_bytes` as in Settings.
constexpr std::uint32_t own_mss(std::uint32_t mtu_bytes, bool ipv4, std::uint32_t max_segment_bytes)
{
    constexpr std::uint32_t kMostOption = 65'535;
    const std::size_t headers = (ipv4 ? wire::kIpv4Size : wire::kIpv6Size) + wire::kTcpSize;
    const std::uint32_t by_mtu =
        std::min(mtu_bytes - static_cast<std::uint32_t>(headers), kMostOption);
    return max_segment_bytes == 0 ? by_mtu : std::min(by_mtu, max_segment_bytes);
}

// The payload of a full segment (RFC 6691: options come off). `mss` is the smaller one of the two
// sides'.
constexpr std::uint32_t full_payload_bytes(std::uint32_t mss, bool timestamps)
{
    constexpr std::uint32_t kTimestampBytes = 12;  // RFC 7323, and two NOPs
    return std::max(mss, kMinPeerMss) - (timestamps ? kTimestampBytes : 0);
}

// The same before anything is known of the peer: most have timestamps, and no smaller MSS.
constexpr std::uint32_t usual_payload_bytes(
    std::uint32_t mtu_bytes, bool ipv4, std::uint32_t max_segment_bytes)
{
    return full_payload_bytes(own_mss(mtu_bytes, ipv4, max_segment_bytes), true);
}

}  // namespace dpdkperf::tcp
