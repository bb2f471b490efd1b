#include "dpdkperf/wire/udp_headers.hpp"

#include "copy_bytes.hpp"
#include "dpdkperf/base/endian.hpp"

#include <algorithm>
#include <cstring>

namespace dpdkperf::wire {

UdpHeaders::UdpHeaders(const UdpFlow& flow, std::uint16_t payload_bytes)
    : size_{udp_header_size(flow.destination.address.is_v4())}
{
    const bool ipv4 = flow.destination.address.is_v4();
    const auto udp_length = static_cast<std::uint16_t>(kUdpSize + payload_bytes);
    copy_bytes(flow.next_hop.bytes, &bytes_[kEtherDestination]);
    copy_bytes(flow.source_mac.bytes, &bytes_[kEtherSource]);
    store_be<std::uint16_t>(&bytes_[kEtherType], ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
    if (ipv4) {
        write_ipv4(flow, udp_length);
    } else {
        write_ipv6(flow, udp_length);
    }
    std::byte* udp = &bytes_[size_ - kUdpSize];
    store_be<std::uint16_t>(udp + kUdpSourcePort, flow.source.port);
    store_be<std::uint16_t>(udp + kUdpDestinationPort, flow.destination.port);
    store_be<std::uint16_t>(udp + kUdpLength, udp_length);
    base_sum_ = add_pseudo_header(
        0, flow.source.address, flow.destination.address, kProtocolUdp, udp_length);
    base_sum_ = add_bytes(base_sum_, {udp, kUdpSize});
}

void UdpHeaders::write_ipv4(const UdpFlow& flow, std::uint16_t udp_length)
{
    std::byte* ip = &bytes_[kEthernetSize];
    ip[0] = std::byte{0x45};  // version 4, five words
    ip[kIpv4Tos] = std::byte{flow.tos};
    store_be<std::uint16_t>(
        ip + kIpv4TotalLength, static_cast<std::uint16_t>(kIpv4Size + udp_length));
    store_be<std::uint16_t>(ip + kIpv4Fragment, kIpv4DontFragment);
    ip[kIpv4Ttl] = std::byte{kDefaultTtl};
    ip[kIpv4Protocol] = std::byte{kProtocolUdp};
    store_be<std::uint32_t>(ip + kIpv4Source, flow.source.address.v4());
    store_be<std::uint32_t>(ip + kIpv4Destination, flow.destination.address.v4());
    const std::uint16_t checksum = finish(add_bytes(0, {ip, kIpv4Size}));
    std::memcpy(ip + kIpv4Checksum, &checksum, sizeof checksum);
}

void UdpHeaders::write_ipv6(const UdpFlow& flow, std::uint16_t udp_length)
{
    std::byte* ip = &bytes_[kEthernetSize];
    store_be<std::uint32_t>(ip, 0x6000'0000U | std::uint32_t{flow.tos} << 20 | flow.flow_label);
    store_be<std::uint16_t>(ip + kIpv6PayloadLength, udp_length);
    ip[kIpv6NextHeader] = std::byte{kProtocolUdp};
    ip[kIpv6HopLimit] = std::byte{kDefaultTtl};
    copy_bytes(flow.source.address.v6_bytes(), ip + kIpv6Source);
    copy_bytes(flow.destination.address.v6_bytes(), ip + kIpv6Destination);
}

}  // namespace dpdkperf::wire
