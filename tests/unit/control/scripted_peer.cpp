#include "scripted_peer.hpp"

#include "dpdkperf/base/endian.hpp"

#include <array>
#include <span>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dpdkperf::test {

namespace {

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

}  // namespace

ScriptedPeer::ScriptedPeer(int socket) : socket_{socket}
{
    const timeval patience{5, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

ScriptedPeer ScriptedPeer::connect(std::uint16_t port)
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = loopback(port);
    (void)::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    return ScriptedPeer{socket};
}

ScriptedPeer::ScriptedPeer(ScriptedPeer&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)}
{
}

ScriptedPeer::~ScriptedPeer()
{
    close();
}

void ScriptedPeer::close()
{
    if (const int socket = std::exchange(socket_, -1); socket >= 0) {
        ::close(socket);
    }
}

void ScriptedPeer::send(std::string_view bytes) const
{
    (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void ScriptedPeer::send_document(std::string_view text) const
{
    std::array<std::byte, 4> length{};
    store_be<std::uint32_t>(length.data(), static_cast<std::uint32_t>(text.size()));
    (void)::send(socket_, length.data(), length.size(), MSG_NOSIGNAL);
    send(text);
}

std::string ScriptedPeer::receive(std::size_t bytes) const
{
    std::string text(bytes, '\0');
    const auto got = ::recv(socket_, text.data(), bytes, MSG_WAITALL);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

std::string ScriptedPeer::receive_document() const
{
    const std::string length = receive(4);
    if (length.size() < 4) {
        return {};
    }
    return receive(load_be<std::uint32_t>(std::as_bytes(std::span{length}).data()));
}

std::string ScriptedPeer::receive_rest() const
{
    std::string all;
    for (std::string byte = receive(1); !byte.empty(); byte = receive(1)) {
        all += byte;
    }
    return all;
}

ScriptedListener::ScriptedListener() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    (void)::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size);
    (void)::listen(socket_, 8);
    (void)::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
}

ScriptedListener::~ScriptedListener()
{
    ::close(socket_);
}

ScriptedPeer ScriptedListener::accept() const
{
    return ScriptedPeer{::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)};
}

}  // namespace dpdkperf::test
