#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <cstring>
#include <vector>

namespace dpdkperf::wire {

// An ICMP error as routers and hosts send it, without its IP header.
struct IcmpMessage {
    std::uint8_t type = 3, code = 4;
    std::uint32_t rest = 1'400;  // the MTU, of either family
    std::uint8_t protocol = kProtocolTcp;
    Endpoint source{IpAddress::from_v4(0x0a630001), 40'000};
    Endpoint destination{IpAddress::from_v4(0x0a630002), 5'201};
    std::uint32_t sequence = 0x12345678;
    std::size_t l4_bytes = 8;

    [[nodiscard]] std::vector<std::byte> bytes() const
    {
        constexpr std::size_t kIcmpSize = 8;
        const bool ipv4 = source.address.is_v4();
        const std::size_t ip_size = ipv4 ? kIpv4Size : kIpv6Size;
        std::vector<std::byte> message(kIcmpSize + ip_size + l4_bytes);
        message[0] = std::byte{type};
        message[1] = std::byte{code};
        store_be<std::uint32_t>(&message[4], rest);
        std::byte* const ip = &message[kIcmpSize];
        const auto from = source.address.v6_bytes(), to = destination.address.v6_bytes();
        if (ipv4) {
            ip[0] = std::byte{0x45};
            store_be<std::uint16_t>(&ip[kIpv4TotalLength], 1'500);
            store_be<std::uint16_t>(&ip[kIpv4Fragment], kIpv4DontFragment);
            ip[kIpv4Protocol] = std::byte{protocol};
            std::memcpy(&ip[kIpv4Source], &from[12], 4);
            std::memcpy(&ip[kIpv4Destination], &to[12], 4);
        } else {
            ip[0] = std::byte{0x60};
            store_be<std::uint16_t>(&ip[kIpv6PayloadLength], 1'460);
            ip[kIpv6NextHeader] = std::byte{protocol};
            std::memcpy(&ip[kIpv6Source], from.data(), from.size());
            std::memcpy(&ip[kIpv6Destination], to.data(), to.size());
        }
        std::byte l4[8]{};
        store_be<std::uint16_t>(&l4[kTcpSourcePort], source.port);
        store_be<std::uint16_t>(&l4[kTcpDestinationPort], destination.port);
        store_be<std::uint32_t>(&l4[kTcpSequence], sequence);
        std::memcpy(&ip[ip_size], l4, std::min(l4_bytes, sizeof l4));
        sign(message);
        return message;
    }

    // Makes the checksum of a message that was changed right.
    static void sign(std::vector<std::byte>& message)
    {
        std::memset(&message[2], 0, 2);
        const std::uint16_t checksum = finish(add_bytes(0, message));
        std::memcpy(&message[2], &checksum, sizeof checksum);
    }
};

}  // namespace dpdkperf::wire
