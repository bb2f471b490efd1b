#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace dpdkperf::host {

// Hears the ICMP errors that this network namespace receives: the kernel knows no socket of flows
// that are not its own, and would forget what is said of them. One thread.
class IcmpSocket {
public:
    // Needs CAP_NET_RAW. `ipv4`: ICMP, else ICMPv6.
    static Result<IcmpSocket> open(bool ipv4);

    // Readable when there is a message.
    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] bool ipv4() const { return ipv4_; }

    // Hands over some of the messages that have come, without their IP headers; fd() stays readable
    // if there are more. A span is good during the call.
    void read(const std::function<void(std::span<const std::byte>)>& on_message);

private:
    IcmpSocket(UniqueFd socket, bool ipv4) : socket_{std::move(socket)}, ipv4_{ipv4} {}
    UniqueFd socket_;
    bool ipv4_;
};

}  // namespace dpdkperf::host
