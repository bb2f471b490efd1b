#include "placeholder.hpp"

#include <system_error>
#include <utility>

#include <asio/ip/udp.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace dpdkperf::control {

namespace {

asio::ip::udp::endpoint to_asio_udp(const Endpoint& at, std::uint32_t interface_index)
{
    if (at.address.is_v4()) {
        return {asio::ip::address_v4{at.address.v4()}, at.port};
    }
    asio::ip::address_v6 address{at.address.v6_bytes()};
    if (at.address.is_link_local_v6()) {
        address.scope_id(interface_index);
    }
    return {address, at.port};
}

std::uint16_t port_of(int socket)
{
    asio::ip::udp::endpoint bound;
    auto size = static_cast<socklen_t>(bound.capacity());
    if (getsockname(socket, bound.data(), &size) != 0) {
        return 0;
    }
    bound.resize(size);
    return bound.port();
}

}  // namespace

Result<Placeholder> Placeholder::bind(const Endpoint& at, std::uint32_t interface_index)
{
    const auto endpoint = to_asio_udp(at, interface_index);
    const int socket =
        ::socket(endpoint.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    Placeholder placeholder{socket, 0};
    const int tiny = 1;  // the kernel makes its minimum of it
    if (socket >= 0) {
        (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof tiny);
    }
    if (socket < 0 ||
        ::bind(socket, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
        return Error{Errc::kBusy,
            "UDP port of " + to_string(at) + ": " + std::generic_category().message(errno)};
    }
    placeholder.port_ = port_of(socket);
    return placeholder;
}

Placeholder::Placeholder(Placeholder&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)}, port_{other.port_}
{
}

Placeholder& Placeholder::operator=(Placeholder&& other) noexcept
{
    std::swap(socket_, other.socket_);
    std::swap(port_, other.port_);
    return *this;
}

Placeholder::~Placeholder()
{
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

}  // namespace dpdkperf::control
