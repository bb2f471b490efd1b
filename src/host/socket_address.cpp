#include "socket_address.hpp"

#include <cstring>
#include <new>

namespace dpdkperf::host {

SocketAddress::SocketAddress(const Endpoint& endpoint, std::uint32_t interface_index)
{
    const IpAddress& address = endpoint.address;
    if (address.is_v4()) {
        auto& v4 = *new (&storage) sockaddr_in{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        v4.sin_addr.s_addr = htonl(address.v4());
        length = sizeof v4;
        return;
    }
    auto& v6 = *new (&storage) sockaddr_in6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, address.v6_bytes().data(), sizeof v6.sin6_addr);
    v6.sin6_scope_id = address.is_link_local_v6() ? interface_index : 0;
    length = sizeof v6;
}

}  // namespace dpdkperf::host
