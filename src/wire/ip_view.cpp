#include "dpdkperf/wire/ip_view.hpp"

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace dpdkperf::wire {

namespace {

IpView faulty(IpFault fault, bool ipv4) noexcept
{
    IpView view;
    view.fault = fault;
    view.ipv4 = ipv4;
    return view;
}

void hold_payload(IpView& view, std::span<const std::byte> rest, std::size_t bytes) noexcept
{
    view.payload_bytes = bytes;
    view.payload = rest.first(std::min(bytes, rest.size()));
}

IpView parse_ipv4(
    std::span<const std::byte> ip, std::size_t ip_bytes, bool verify_checksum) noexcept
{
    if (ip.size() < kIpv4Size) {
        return faulty(IpFault::kLength, true);
    }
    const auto version = std::to_integer<unsigned>(ip[0]) >> 4U;
    const std::size_t header = (std::to_integer<std::size_t>(ip[0]) & 0xfU) * 4;
    const std::size_t total = load_be<std::uint16_t>(&ip[kIpv4TotalLength]);
    if (version != 4 || header < kIpv4Size || total < header || total > ip_bytes ||
        header > ip.size()) {
        return faulty(IpFault::kLength, true);
    }
    if (verify_checksum && fold(add_bytes(0, ip.first(header))) != 0xffff) {
        return faulty(IpFault::kChecksum, true);
    }
    if ((load_be<std::uint16_t>(&ip[kIpv4Fragment]) & kIpv4FragmentMask) != 0) {
        return faulty(IpFault::kFragment, true);
    }
    IpView view;
    view.protocol = std::to_integer<std::uint8_t>(ip[kIpv4Protocol]);
    view.ecn = static_cast<Ecn>(std::to_integer<std::uint8_t>(ip[kIpv4Tos]) & 0x3U);
    view.source = IpAddress::from_v4(load_be<std::uint32_t>(&ip[kIpv4Source]));
    view.destination = IpAddress::from_v4(load_be<std::uint32_t>(&ip[kIpv4Destination]));
    hold_payload(view, ip.subspan(header), total - header);
    return view;
}

IpAddress load_ipv6(const std::byte* from) noexcept
{
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), from, bytes.size());
    return IpAddress::from_v6_bytes(bytes);
}

IpView parse_ipv6(std::span<const std::byte> ip, std::size_t ip_bytes) noexcept
{
    if (ip.size() < kIpv6Size) {
        return faulty(IpFault::kLength, false);
    }
    const std::size_t length = load_be<std::uint16_t>(&ip[kIpv6PayloadLength]);
    if (std::to_integer<unsigned>(ip[0]) >> 4U != 6 || length > ip_bytes - kIpv6Size) {
        return faulty(IpFault::kLength, false);
    }
    IpView view;
    view.ipv4 = false;
    view.protocol = std::to_integer<std::uint8_t>(ip[kIpv6NextHeader]);
    view.ecn = static_cast<Ecn>(load_be<std::uint16_t>(ip.data()) >> 4U & 0x3U);
    view.source = load_ipv6(&ip[kIpv6Source]);
    view.destination = load_ipv6(&ip[kIpv6Destination]);
    hold_payload(view, ip.subspan(kIpv6Size), length);
    return view;
}

}  // namespace

IpView parse_ip(std::span<const std::byte> frame) noexcept
{
    return parse_ip(frame, frame.size());
}

IpView parse_ip(std::span<const std::byte> piece, std::size_t frame_bytes) noexcept
{
    if (piece.size() < kEthernetSize) {
        return faulty(IpFault::kLength, true);
    }
    switch (load_be<std::uint16_t>(&piece[kEtherType])) {
    case kEtherTypeIpv4:
        return parse_ipv4(piece.subspan(kEthernetSize), frame_bytes - kEthernetSize, true);
    case kEtherTypeIpv6:
        return parse_ipv6(piece.subspan(kEthernetSize), frame_bytes - kEthernetSize);
    default:
        return faulty(IpFault::kNotIp, true);
    }
}

IpView parse_quoted_ip(std::span<const std::byte> quote, bool ipv4) noexcept
{
    constexpr std::size_t kAnyLength = 0x1'0000 + kIpv6Size;
    return ipv4 ? parse_ipv4(quote, kAnyLength, false) : parse_ipv6(quote, kAnyLength);
}

}  // namespace dpdkperf::wire
