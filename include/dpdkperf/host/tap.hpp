#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace dpdkperf::host {

struct TapSettings {
    std::string name;  // at most 15 characters; "%d" becomes the first free number
    Mac mac;
    std::uint32_t mtu_bytes = 1500;  // largest IP packet, 68 to 65521
    std::vector<IpPrefix> addresses;
};

// A TAP interface of the kernel, up and with its addresses: what the kernel sends through it can
// be read from fd(), frame by frame, and what is written to fd() it receives. It vanishes with
// its descriptor, and so with the process, however that ends. Settings: main thread; fd() may be
// used by another.
class Tap {
public:
    // Addresses are usable at once: there is no duplicate address detection.
    // Errors: kPermission; kDevice without /dev/net/tun; kBusy if another interface has one of
    // the addresses; kUsage for IPv6 below an MTU of 1280 (RFC 8200, 5).
    static Result<Tap> open(const TapSettings& settings);

    // Does not block. A frame has no prefix, and its checksums are whole.
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::uint32_t index() const { return index_; }

    // Shows the kernel and its users a cable that is plugged in or not. A new TAP has a carrier.
    // Any thread. Kernels before 5.0 don't know of it and keep the carrier.
    void set_carrier(bool up) const;

    // The route to `destination` through `gateway`, which must be in a network of this interface.
    // One that is there already is replaced.
    [[nodiscard]] Status add_route(const IpPrefix& destination, const IpAddress& gateway) const;

private:
    Tap(UniqueFd fd, std::string name, std::uint32_t index)
        : fd_{std::move(fd)}, name_{std::move(name)}, index_{index}
    {
    }
    [[nodiscard]] Status set_up(const TapSettings& settings) const;
    [[nodiscard]] Status set_link(const TapSettings& settings) const;
    [[nodiscard]] Status add_address(const IpPrefix& address) const;

    UniqueFd fd_;
    std::string name_;
    std::uint32_t index_;
};

}  // namespace dpdkperf::host
