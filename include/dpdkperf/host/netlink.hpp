#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"

namespace dpdkperf::host {

// What the kernel knows of an interface.
struct Interface {
    std::uint32_t index = 0;
    std::string name;
    std::string kind;        // rtnetlink's IFLA_INFO_KIND: "veth", "tun", "bond", …; empty: a device
    Mac mac;
    std::uint32_t mtu_bytes = 0;  // largest IP packet
    bool up = false;              // administratively
    bool running = false;         // and there is a carrier
    bool loopback = false;
    std::uint32_t rx_queues = 1;
    std::uint32_t xdp_program = 0;  // id of the XDP program on it, 0: none
};

// Where the kernel would send a packet.
struct Route {
    Interface interface;
    IpAddress source;    // the address it would send from
    IpAddress next_hop;  // the gateway, or the destination itself
    bool local = false;  // the destination is an address of this machine
};

Result<Interface> interface_by_name(const std::string& name);
Result<Interface> interface_by_index(std::uint32_t index);
// The interface that holds `address`.
Result<Interface> interface_with(const IpAddress& address);

// The route to `destination`, optionally from `source` or through `interface`. Errors: no route.
Result<Route> route_to(const IpAddress& destination, const std::optional<IpAddress>& source,
    const std::optional<std::string>& interface);

// The link address of `next_hop` in the kernel's neighbour table; an entry that is missing or
// stale is resolved by the kernel (we poke it), for at most `patience`. Blocks.
Result<Mac> resolve_neighbour(const Interface& interface, const IpAddress& next_hop,
    std::chrono::milliseconds patience);

// A change that rtnetlink announced.
struct NeighbourChange {
    std::uint32_t interface_index = 0;
    IpAddress address;
    std::optional<Mac> mac;  // none: the entry is gone or has failed
};
struct LinkChange {
    std::uint32_t interface_index = 0;
    bool up = false;       // up and with a carrier
    bool removed = false;  // the interface is gone
};

// Follows neighbours and links. fd() becomes readable when something has happened; drain() then
// calls back for each change, in order. If the kernel dropped messages (ENOBUFS), drain() returns
// false and the caller reads anew what it depends on. One thread.
class NetworkWatch {
public:
    static Result<NetworkWatch> open();
    NetworkWatch(NetworkWatch&& other) noexcept;
    NetworkWatch& operator=(NetworkWatch&& other) noexcept;
    ~NetworkWatch();

    [[nodiscard]] int fd() const { return fd_; }
    bool drain(const std::function<void(const NeighbourChange&)>& on_neighbour,
        const std::function<void(const LinkChange&)>& on_link);

private:
    explicit NetworkWatch(int fd) : fd_{fd} {}
    int fd_ = -1;
};

}  // namespace dpdkperf::host
