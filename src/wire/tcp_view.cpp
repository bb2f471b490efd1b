#include "dpdkperf/wire/tcp_view.hpp"

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"

#include <algorithm>
#include <cstring>

namespace dpdkperf::wire {

namespace {

TcpFault tcp_fault_of(const IpView& ip) noexcept
{
    switch (ip.fault) {
    case IpFault::kNone:
        return ip.protocol == kProtocolTcp ? TcpFault::kNone : TcpFault::kNotTcp;
    case IpFault::kLength:
        return TcpFault::kLength;
    case IpFault::kChecksum:
        return TcpFault::kIpChecksum;
    case IpFault::kNotIp:
    case IpFault::kFragment:
        break;
    }
    return TcpFault::kNotTcp;
}

ChecksumSum pseudo_header(const TcpView& view) noexcept
{
    return add_pseudo_header(0, view.source.address, view.destination.address, kProtocolTcp,
        static_cast<std::uint32_t>(view.tcp_bytes));
}

}  // namespace

TcpView parse_tcp(std::span<const std::byte> frame) noexcept
{
    return parse_tcp(frame, frame.size());
}

TcpView parse_tcp(std::span<const std::byte> piece, std::size_t frame_bytes) noexcept
{
    const IpView ip = parse_ip(piece, frame_bytes);
    TcpView view;
    view.fault = tcp_fault_of(ip);
    view.ipv4 = ip.ipv4;
    if (view.fault != TcpFault::kNone) {
        return view;
    }
    const auto parsed = parse_tcp_header(ip.payload);
    if (!parsed) {
        view.fault = TcpFault::kLength;
        return view;
    }
    view.ecn = ip.ecn;
    view.header = parsed->header;
    view.tcp_bytes = ip.payload_bytes;
    view.payload_bytes = ip.payload_bytes - parsed->header_bytes;
    view.tcp = ip.payload;
    view.payload = ip.payload.subspan(parsed->header_bytes);
    view.source = {ip.source, load_be<std::uint16_t>(&ip.payload[kTcpSourcePort])};
    view.destination = {ip.destination, load_be<std::uint16_t>(&ip.payload[kTcpDestinationPort])};
    if (view.source == view.destination || ip.source.is_multicast() ||
        ip.destination.is_multicast()) {
        view.fault = TcpFault::kAddress;
    }
    return view;
}

bool tcp_checksum_ok(const TcpView& view, std::span<const std::span<const std::byte>> rest) noexcept
{
    ChecksumSum sum = add_bytes(pseudo_header(view), view.tcp);
    std::size_t summed = view.tcp.size();
    for (const auto piece : rest) {
        const auto bytes = piece.first(std::min(piece.size(), view.tcp_bytes - summed));
        sum += at_place(fold(add_bytes(0, bytes)), summed % 2 != 0);
        summed += bytes.size();
    }
    return summed == view.tcp_bytes && fold(sum) == 0xffff;
}

bool tcp_checksum_partial(const TcpView& view) noexcept
{
    std::uint16_t field = 0;
    std::memcpy(&field, &view.tcp[kTcpChecksum], sizeof field);
    return field == fold(pseudo_header(view));
}

}  // namespace dpdkperf::wire
