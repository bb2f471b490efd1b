#include "dpdkperf/host/placeholder.hpp"

#include "socket_address.hpp"
#include "system_error.hpp"

#include <cerrno>

namespace dpdkperf::host {

namespace {

Error bind_error(const Endpoint& local, const char* protocol, int error)
{
    const std::string address = to_string(local.address);
    const std::string port =
        std::string{protocol} + " port " + std::to_string(local.port) + " on " + address;
    switch (error) {
    case EADDRINUSE:
        return {Errc::kBusy, port + " is in use"};
    case EADDRNOTAVAIL:
        return {Errc::kNotFound, port + ": " + address + " is not an address of this machine"};
    default:
        return system_error(port, error);
    }
}

// Both sockaddr_in and sockaddr_in6 have it at the same place.
std::uint16_t port_of(int socket)
{
    sockaddr_in6 bound{};
    socklen_t length = sizeof bound;
    getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length);
    return ntohs(bound.sin6_port);
}

}  // namespace

Result<PlaceholderSocket> PlaceholderSocket::bind(
    const Endpoint& local, std::uint32_t interface_index, IpProtocol protocol, Use use)
{
    const SocketAddress address{local, interface_index};
    const bool tcp = protocol == IpProtocol::kTcp;
    const char* const name = tcp ? "TCP" : "UDP";
    const int type = tcp ? SOCK_STREAM : SOCK_DGRAM;
    UniqueFd socket{::socket(address.storage.ss_family, type | SOCK_CLOEXEC, 0)};
    if (!socket) {
        return system_error(std::string{name} + " socket", errno);
    }
    const int on = 1;
    const int least = 0;  // the kernel raises it to its minimum (socket(7), SO_RCVBUF)
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    if (tcp) {  // what the kernel's own connections have left in TIME_WAIT is no reason to wait
        setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (use == Use::kShared) {
        setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    }
    if (!local.address.is_v4()) {
        setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (::bind(socket.get(), address.get(), address.length) != 0) {
        return bind_error(local, name, errno);
    }
    const std::uint16_t port = port_of(socket.get());
    return PlaceholderSocket{std::move(socket), port};
}

}  // namespace dpdkperf::host
