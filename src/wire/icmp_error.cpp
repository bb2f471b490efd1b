#include "dpdkperf/wire/icmp_error.hpp"

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"
#include "dpdkperf/wire/headers.hpp"
#include "dpdkperf/wire/ip_view.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <cerrno>

namespace dpdkperf::wire {

namespace {

// RFC 792 and RFC 4443, 2.1: type, code, checksum, four bytes that depend on these, the quote.
constexpr std::size_t kIcmpSize = 8;
constexpr std::size_t kIcmpCode = 1;
constexpr std::size_t kMtuOfNextHop = 6;  // RFC 1191, 4: 16 bits
constexpr std::size_t kMtuV6 = 4;         // RFC 4443, 3.2: 32 bits
constexpr std::size_t kQuotedL4 = 8;      // RFC 792: at least so much behind the IP header

struct Meaning {
    int error;
    bool fatal;
};

// By code, of "destination unreachable".
constexpr Meaning kUnreachable[] = {
    {ENETUNREACH, false},
    {EHOSTUNREACH, false},
    {ENOPROTOOPT, true},
    {ECONNREFUSED, true},
    {EMSGSIZE, true},
    {EOPNOTSUPP, false},
    {ENETUNREACH, true},
    {EHOSTDOWN, true},
    {ENONET, true},
    {ENETUNREACH, true},
    {EHOSTUNREACH, true},
    {ENETUNREACH, false},
    {EHOSTUNREACH, false},
    {EHOSTUNREACH, true},
    {EHOSTUNREACH, true},
    {EHOSTUNREACH, true},
};
constexpr std::uint8_t kFragmentationNeeded = 4;

constexpr Meaning kUnreachableV6[] = {
    {ENETUNREACH, false},
    {EACCES, true},
    {EHOSTUNREACH, false},
    {EHOSTUNREACH, false},
    {ECONNREFUSED, true},
    {EACCES, true},
    {EACCES, true},
};

constexpr Meaning kTimeExceeded{EHOSTUNREACH, false};

IcmpError undeliverable(const Meaning& meaning) noexcept
{
    IcmpError error;
    error.error = meaning.error;
    error.fatal = meaning.fatal;
    return error;
}

IcmpError too_big(std::uint32_t mtu_bytes) noexcept
{
    IcmpError error;
    error.kind = IcmpError::Kind::kTooBig;
    error.mtu_bytes = mtu_bytes;
    error.error = EMSGSIZE;
    error.fatal = true;
    return error;
}

std::optional<IcmpError> read_v4(std::span<const std::byte, kIcmpSize> header) noexcept
{
    constexpr std::uint8_t kTypeUnreachable = 3, kTypeTimeExceeded = 11;
    const auto code = std::to_integer<std::uint8_t>(header[kIcmpCode]);
    switch (std::to_integer<std::uint8_t>(header[0])) {
    case kTypeUnreachable:
        if (code == kFragmentationNeeded) {
            return too_big(load_be<std::uint16_t>(&header[kMtuOfNextHop]));
        }
        if (code < std::size(kUnreachable)) {
            return undeliverable(kUnreachable[code]);
        }
        return std::nullopt;
    case kTypeTimeExceeded:
        return undeliverable(kTimeExceeded);
    default:
        return std::nullopt;
    }
}

std::optional<IcmpError> read_v6(std::span<const std::byte, kIcmpSize> header) noexcept
{
    constexpr std::uint8_t kTypeUnreachable = 1, kTypeTooBig = 2, kTypeTimeExceeded = 3;
    const auto code = std::to_integer<std::uint8_t>(header[kIcmpCode]);
    switch (std::to_integer<std::uint8_t>(header[0])) {
    case kTypeUnreachable:
        if (code < std::size(kUnreachableV6)) {
            return undeliverable(kUnreachableV6[code]);
        }
        return std::nullopt;
    case kTypeTooBig:
        return too_big(load_be<std::uint32_t>(&header[kMtuV6]));
    case kTypeTimeExceeded:
        return undeliverable(kTimeExceeded);
    default:
        return std::nullopt;
    }
}

// False: no TCP or UDP packet, or too little of it.
bool read_quote(std::span<const std::byte> quote, bool ipv4, IcmpError& error) noexcept
{
    const IpView ip = parse_quoted_ip(quote, ipv4);
    if (ip.fault != IpFault::kNone || ip.payload.size() < kQuotedL4 ||
        (ip.protocol != kProtocolTcp && ip.protocol != kProtocolUdp)) {
        return false;
    }
    error.protocol = ip.protocol;
    // TCP begins with the same two ports (RFC 9293, 3.1).
    error.source = {ip.source, load_be<std::uint16_t>(&ip.payload[kUdpSourcePort])};
    error.destination = {ip.destination, load_be<std::uint16_t>(&ip.payload[kUdpDestinationPort])};
    if (ip.protocol == kProtocolTcp) {
        error.sequence = load_be<std::uint32_t>(&ip.payload[kTcpSequence]);
    }
    return true;
}

}  // namespace

std::optional<IcmpError> parse_icmp_error(std::span<const std::byte> message, bool ipv4) noexcept
{
    if (message.size() < kIcmpSize || (ipv4 && fold(add_bytes(0, message)) != 0xffff)) {
        return std::nullopt;
    }
    const auto header = message.first<kIcmpSize>();
    auto error = ipv4 ? read_v4(header) : read_v6(header);
    if (!error || !read_quote(message.subspan(kIcmpSize), ipv4, *error)) {
        return std::nullopt;
    }
    return error;
}

}  // namespace dpdkperf::wire
