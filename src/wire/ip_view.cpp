#include "dpdkperf/wire/ip_view.hpp"

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"

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

IpView parse_ipv4(std::span<const std::byte> ip) noexcept
{
    if (ip.size() < kIpv4Size) {
        return faulty(IpFault::kLength, true);
    }
    const auto version = std::to_integer<unsigned>(ip[0]) >> 4U;
    const std::size_t header = (std::to_integer<std::size_t>(ip[0]) & 0xfU) * 4;
    const std::size_t total = load_be<std::uint16_t>(&ip[kIpv4TotalLength]);
    if (version != 4 || header < kIpv4Size || total < header || total > ip.size()) {
        return faulty(IpFault::kLength, true);
    }
    if (fold(add_bytes(0, ip.first(header))) != 0xffff) {
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
    view.payload = ip.subspan(header, total - header);
    return view;
}

IpAddress load_ipv6(const std::byte* from) noexcept
{
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), from, bytes.size());
    return IpAddress::from_v6_bytes(bytes);
}

IpView parse_ipv6(std::span<const std::byte> ip) noexcept
{
    if (ip.size() < kIpv6Size) {
        return faulty(IpFault::kLength, false);
    }
    const std::size_t length = load_be<std::uint16_t>(&ip[kIpv6PayloadLength]);
    if (std::to_integer<unsigned>(ip[0]) >> 4U != 6 || length > ip.size() - kIpv6Size) {
        return faulty(IpFault::kLength, false);
    }
    IpView view;
    view.ipv4 = false;
    view.protocol = std::to_integer<std::uint8_t>(ip[kIpv6NextHeader]);
    view.ecn = static_cast<Ecn>(load_be<std::uint16_t>(ip.data()) >> 4U & 0x3U);
    view.source = load_ipv6(&ip[kIpv6Source]);
    view.destination = load_ipv6(&ip[kIpv6Destination]);
    view.payload = ip.subspan(kIpv6Size, length);
    return view;
}

}  // namespace

IpView parse_ip(std::span<const std::byte> frame) noexcept
{
    if (frame.size() < kEthernetSize) {
        return faulty(IpFault::kLength, true);
    }
    switch (load_be<std::uint16_t>(&frame[kEtherType])) {
    case kEtherTypeIpv4:
        return parse_ipv4(frame.subspan(kEthernetSize));
    case kEtherTypeIpv6:
        return parse_ipv6(frame.subspan(kEthernetSize));
    default:
        return faulty(IpFault::kNotIp, true);
    }
}

}  // namespace dpdkperf::wire
