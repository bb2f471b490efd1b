#include "dpdkperf/wire/udp_view.hpp"

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/ip_view.hpp"

#include <cstring>

namespace dpdkperf::wire {

namespace {

UdpFault udp_fault_of(const IpView& ip) noexcept
{
    switch (ip.fault) {
    case IpFault::kNone:
        return ip.protocol == kProtocolUdp ? UdpFault::kNone : UdpFault::kNotUdp;
    case IpFault::kLength:
        return UdpFault::kLength;
    case IpFault::kChecksum:
        return UdpFault::kChecksum;
    case IpFault::kNotIp:
    case IpFault::kFragment:
        break;
    }
    return UdpFault::kNotUdp;
}

}  // namespace

UdpView parse_udp(std::span<const std::byte> frame) noexcept
{
    const IpView ip = parse_ip(frame);
    UdpView view;
    view.fault = udp_fault_of(ip);
    view.ipv4 = ip.ipv4;
    if (view.fault != UdpFault::kNone) {
        return view;
    }
    const std::span udp = ip.payload;
    const std::size_t length = udp.size() < kUdpSize ? 0 : load_be<std::uint16_t>(&udp[kUdpLength]);
    if (length < kUdpSize || length > udp.size()) {
        view.fault = UdpFault::kLength;
        return view;
    }
    view.udp = udp.first(length);
    view.source = {ip.source, load_be<std::uint16_t>(&udp[kUdpSourcePort])};
    view.destination = {ip.destination, load_be<std::uint16_t>(&udp[kUdpDestinationPort])};
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
