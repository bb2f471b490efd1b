#include "dpdkperf/host/icmp_socket.hpp"

#include "system_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

// The largest IP packet: the checksum is that of all of it.
constexpr std::size_t kMessageBytes = 65'535;

// Of one call, so that a flood leaves the event loop time for other things.
constexpr int kMostMessages = 32;

// Only errors wake us up (raw(7), RFC 3542 3.2).
bool filter_v4(int socket)
{
    icmp_filter filter{};
    filter.data = ~(1U << ICMP_DEST_UNREACH | 1U << ICMP_TIME_EXCEEDED);
    return setsockopt(socket, SOL_RAW, ICMP_FILTER, &filter, sizeof filter) == 0;
}

bool filter_v6(int socket)
{
    icmp6_filter filter{};
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &filter);
    return setsockopt(socket, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0;
}

// An IPv4 socket delivers the IP header as well, in the length that it tells itself (raw(7)).
std::span<const std::byte> behind_ip_header(std::span<const std::byte> packet)
{
    const std::size_t header =
        packet.empty() ? 0 : (std::to_integer<std::size_t>(packet[0]) & 0xfU) * 4;
    return packet.subspan(std::min(header, packet.size()));
}

}  // namespace

Result<IcmpSocket> IcmpSocket::open(bool ipv4)
{
    const int family = ipv4 ? AF_INET : AF_INET6;
    const int protocol = ipv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    UniqueFd socket{::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)};
    if (!socket || !(ipv4 ? filter_v4(socket.get()) : filter_v6(socket.get()))) {
        return system_error(ipv4 ? "socket for ICMP" : "socket for ICMPv6", errno);
    }
    return IcmpSocket{std::move(socket), ipv4};
}

void IcmpSocket::read(const std::function<void(std::span<const std::byte>)>& on_message)
{
    std::array<std::byte, kMessageBytes> buffer;
    for (int i = 0; i < kMostMessages; ++i) {
        const auto n = recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (n < 0) {
            return;
        }
        const auto packet = std::span{buffer}.first(static_cast<std::size_t>(n));
        on_message(ipv4_ ? behind_ip_header(packet) : packet);
    }
}

}  // namespace dpdkperf::host
