#include "dpdkperf/control/host_address.hpp"

#include "sockets.hpp"

#include <cstring>
#include <memory>

#include <netdb.h>

namespace dpdkperf::control {

namespace {

int native(options::Family family)
{
    switch (family) {
    case options::Family::kIpv4:
        return AF_INET;
    case options::Family::kIpv6:
        return AF_INET6;
    case options::Family::kAny:
        break;
    }
    return AF_UNSPEC;
}

}  // namespace

Result<IpAddress> address_of(const std::string& host, options::Family family)
{
    addrinfo wanted{};
    wanted.ai_family = native(family);
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned{found, freeaddrinfo};
    if (error != 0) {
        return Error{Errc::kNotFound, "cannot find host '" + host + "': " + gai_strerror(error)};
    }
    asio::ip::tcp::endpoint endpoint;
    endpoint.resize(found->ai_addrlen);
    std::memcpy(endpoint.data(), found->ai_addr, found->ai_addrlen);
    return from_asio(endpoint).address;
}

}  // namespace dpdkperf::control
