#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"

#include <cstdint>

namespace dpdkperf::control {

// A bound UDP socket that is never read: it keeps the kernel from giving the port of a data flow
// to somebody else. The flow's packets pass it by.
class Placeholder {
public:
    // Port 0: the kernel chooses. `interface_index` is the scope of a link-local address. Errors:
    // the port is in use, or the address is not ours.
    static Result<Placeholder> bind(const Endpoint& at, std::uint32_t interface_index);

    Placeholder(Placeholder&& other) noexcept;
    Placeholder& operator=(Placeholder&& other) noexcept;
    Placeholder(const Placeholder&) = delete;
    Placeholder& operator=(const Placeholder&) = delete;
    ~Placeholder();

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    Placeholder(int socket, std::uint16_t port) : socket_{socket}, port_{port} {}

    int socket_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace dpdkperf::control
