#include "dpdkperf/wire/udp_view.hpp"

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace dpdkperf::wire {

namespace {

// What follows the IP header, by the length that header gives; sets addresses and fault.
std::span<const std::byte> parse_ipv4(std::span<const std::byte> ip, UdpView& view) noexcept
{
    if (ip.size() < kIpv4Size) {
        view.fault = UdpFault::kLength;
        return {};
    }
    const auto version = std::to_integer<unsigned>(ip[0]) >> 4U;
    const std::size_t header = (std::to_integer<std::size_t>(ip[0]) & 0xfU) * 4;
    const std::size_t total = load_be<std::uint16_t>(&ip[kIpv4TotalLength]);
    if (version != 4 || header < kIpv4Size || total < header || total > ip.size()) {
        view.fault = UdpFault::kLength;
        return {};
    }
    if (fold(add_bytes(0, ip.first(header))) != 0xffff) {
        view.fault = UdpFault::kChecksum;
        return {};
    }
    if (ip[kIpv4Protocol] != std::byte{kProtocolUdp} ||
        (load_be<std::uint16_t>(&ip[kIpv4Fragment]) & kIpv4FragmentMask) != 0) {
        view.fault = UdpFault::kNotUdp;
        return {};
    }
    view.source.address = IpAddress::from_v4(load_be<std::uint32_t>(&ip[kIpv4Source]));
    view.destination.address = IpAddress::from_v4(load_be<std::uint32_t>(&ip[kIpv4Destination]));
    return ip.subspan(header, total - header);
}

IpAddress load_ipv6(const std::byte* from) noexcept
{
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), from, bytes.size());
    return IpAddress::from_v6_bytes(bytes);
}

std::span<const std::byte> parse_ipv6(std::span<const std::byte> ip, UdpView& view) noexcept
{
    view.ipv4 = false;
    if (ip.size() < kIpv6Size) {
        view.fault = UdpFault::kLength;
        return {};
    }
    const std::size_t length = load_be<std::uint16_t>(&ip[kIpv6PayloadLength]);
    if (std::to_integer<unsigned>(ip[0]) >> 4U != 6 || length > ip.size() - kIpv6Size) {
        view.fault = UdpFault::kLength;
        return {};
    }
    if (ip[kIpv6NextHeader] != std::byte{kProtocolUdp}) {
        view.fault = UdpFault::kNotUdp;
        return {};
    }
    view.source.address = load_ipv6(&ip[kIpv6Source]);
    view.destination.address = load_ipv6(&ip[kIpv6Destination]);
    return ip.subspan(kIpv6Size, length);
}

}  // namespace

UdpView parse_udp(std::span<const std::byte> frame) noexcept
{
    UdpView view;
    if (frame.size() < kEthernetSize) {
        view.fault = UdpFault::kLength;
        return view;
    }
    std::span<const std::byte> udp;
    switch (load_be<std::uint16_t>(&frame[kEtherType])) {
    case kEtherTypeIpv4:
        udp = parse_ipv4(frame.subspan(kEthernetSize), view);
        break;
    case kEtherTypeIpv6:
        udp = parse_ipv6(frame.subspan(kEthernetSize), view);
        break;
    default:
        view.fault = UdpFault::kNotUdp;
    }
    if (view.fault != UdpFault::kNone) {
        return view;
    }
    const std::size_t length = udp.size() < kUdpSize ? 0 : load_be<std::uint16_t>(&udp[kUdpLength]);
    if (length < kUdpSize || length > udp.size()) {
        view.fault = UdpFault::kLength;
        return view;
    }
    view.udp = udp.first(length);
    view.source.port = load_be<std::uint16_t>(&udp[kUdpSourcePort]);
    view.destination.port = load_be<std::uint16_t>(&udp[kUdpDestinationPort]);
    return view;
}

namespace {

ChecksumSum pseudo_header(const UdpView& view) noexcept
{
    return add_pseudo_header(0, view.source.address, view.destination.address, kProtocolUdp,
        static_cast<std::uint32_t>(view.udp.size()));
}

std::uint16_t checksum_field(const UdpView& view) noexcept
{
    std::uint16_t field = 0;
    std::memcpy(&field, &view.udp[kUdpChecksum], sizeof field);
    return field;
}

}  // namespace

bool udp_checksum_ok(const UdpView& view) noexcept
{
    if (checksum_field(view) == 0) {
        return view.ipv4;
    }
    return fold(add_bytes(pseudo_header(view), view.udp)) == 0xffff;
}

bool udp_checksum_partial(const UdpView& view) noexcept
{
    return checksum_field(view) == fold(pseudo_header(view));
}

}  // namespace dpdkperf::wire
