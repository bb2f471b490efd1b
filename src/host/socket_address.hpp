#pragma once

#include "dpdkperf/base/address.hpp"

#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>

namespace dpdkperf::host {

// An Endpoint as the kernel's socket calls want it.
struct SocketAddress {
    // `interface_index` matters for link-local IPv6 addresses only.
    SocketAddress(const Endpoint& endpoint, std::uint32_t interface_index);

    [[nodiscard]] const sockaddr* get() const
    {
        return reinterpret_cast<const sockaddr*>(&storage);
    }

    sockaddr_storage storage{};
    socklen_t length = 0;
};

}  // namespace dpdkperf::host
