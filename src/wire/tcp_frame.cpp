#include "dpdkperf/wire/tcp_frame.hpp"

#include "copy_bytes.hpp"
#include "dpdkperf/base/endian.hpp"

#include <cstring>

namespace dpdkperf::wire {

namespace {

constexpr std::uint8_t kNotEcn = 0xfc;

}  // namespace

TcpFrameWriter::TcpFrameWriter(const TcpFlow& flow)
    : ipv4_{flow.destination.address.is_v4()},
      source_port_{flow.source.port},
      destination_port_{flow.destination.port}
{
    copy_bytes(flow.next_hop.bytes, &bytes_[kEtherDestination]);
    copy_bytes(flow.source_mac.bytes, &bytes_[kEtherSource]);
    store_be<std::uint16_t>(&bytes_[kEtherType], ipv4_ ? kEtherTypeIpv4 : kEtherTypeIpv6);
    if (ipv4_) {
        write_ipv4(flow);
    } else {
        write_ipv6(flow);
    }
    pseudo_sum_ =
        add_pseudo_header(0, flow.source.address, flow.destination.address, kProtocolTcp, 0);
}

void TcpFrameWriter::write_ipv4(const TcpFlow& flow)
{
    std::byte* ip = &bytes_[kEthernetSize];
    ip[0] = std::byte{0x45};  // version 4, five words
    ip[kIpv4Tos] = static_cast<std::byte>(flow.tos & kNotEcn);
    store_be<std::uint16_t>(ip + kIpv4Fragment, kIpv4DontFragment);
    ip[kIpv4Ttl] = std::byte{kDefaultTtl};
    ip[kIpv4Protocol] = std::byte{kProtocolTcp};
    store_be<std::uint32_t>(ip + kIpv4Source, flow.source.address.v4());
    store_be<std::uint32_t>(ip + kIpv4Destination, flow.destination.address.v4());
    ip_sum_ = add_bytes(0, {ip, kIpv4Size});
}

void TcpFrameWriter::write_ipv6(const TcpFlow& flow)
{
    std::byte* ip = &bytes_[kEthernetSize];
    const std::uint32_t traffic_class = flow.tos & kNotEcn;
    store_be<std::uint32_t>(ip, 0x6000'0000U | traffic_class << 20 | flow.flow_label);
    ip[kIpv6NextHeader] = std::byte{kProtocolTcp};
    ip[kIpv6HopLimit] = std::byte{kDefaultTtl};
    copy_bytes(flow.source.address.v6_bytes(), ip + kIpv6Source);
    copy_bytes(flow.destination.address.v6_bytes(), ip + kIpv6Destination);
}

void TcpFrameWriter::patch_ip(std::byte* ip, std::size_t tcp_bytes, Ecn ecn) const noexcept
{
    const auto bits = static_cast<std::uint8_t>(ecn);
    if (ipv4_) {
        const auto total = static_cast<std::uint16_t>(kIpv4Size + tcp_bytes);
        ip[kIpv4Tos] |= std::byte{bits};
        store_be<std::uint16_t>(ip + kIpv4TotalLength, total);
        const std::uint16_t checksum =
            finish(ip_sum_ + byte_swap(total) + byte_swap(std::uint16_t{bits}));
        std::memcpy(ip + kIpv4Checksum, &checksum, sizeof checksum);
    } else {
        ip[1] |= static_cast<std::byte>(bits << 4U);
        store_be<std::uint16_t>(ip + kIpv6PayloadLength, static_cast<std::uint16_t>(tcp_bytes));
    }
}

TcpFrameHeader TcpFrameWriter::write(std::span<std::byte, kMaxTcpFrameHeader> to,
    const TcpHeader& header, std::uint32_t payload_bytes, Ecn ecn) const noexcept
{
    const std::size_t before = kEthernetSize + ip_size();
    std::memcpy(to.data(), bytes_.data(), before);
    std::byte* tcp = &to[before];
    const std::size_t tcp_header =
        write_tcp_header(std::span<std::byte, kMaxTcpSize>{tcp, kMaxTcpSize}, source_port_,
            destination_port_, header);
    const std::size_t tcp_bytes = tcp_header + payload_bytes;
    patch_ip(&to[kEthernetSize], tcp_bytes, ecn);
    TcpFrameHeader written;
    written.size_bytes = before + tcp_header;
    written.checksum_offset = before + kTcpChecksum;
    written.sum = add_bytes(
        pseudo_sum_ + byte_swap(static_cast<std::uint32_t>(tcp_bytes)), {tcp, tcp_header});
    return written;
}

}  // namespace dpdkperf::wire
