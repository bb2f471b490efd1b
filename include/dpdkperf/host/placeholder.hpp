#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/steering.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <cstdint>

namespace dpdkperf::host {

// Holds a port in the kernel for a flow of the data plane: nobody else can have it, and the kernel
// does not answer "port unreachable" should a datagram slip through. Never read.
class PlaceholderSocket {
public:
    // Who else may hold the port: other tests of a server, on whose port all its clients' datagrams
    // arrive.
    enum class Use : bool { kAlone, kShared };

    // Port 0: the kernel chooses. A link-local IPv6 address needs its interface. Errors: kBusy,
    // kNotFound if the address is not ours, kPermission for ports below 1024.
    static Result<PlaceholderSocket> bind(const Endpoint& local, std::uint32_t interface_index = 0,
        IpProtocol protocol = IpProtocol::kUdp, Use use = Use::kAlone);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int fd() const { return socket_.get(); }

private:
    PlaceholderSocket(UniqueFd socket, std::uint16_t port) : socket_{std::move(socket)}, port_{port}
    {
    }
    UniqueFd socket_;
    std::uint16_t port_;
};

}  // namespace dpdkperf::host
