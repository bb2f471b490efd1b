#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::host {

// What the kernel knows of an interface.
struct Interface {
    std::uint32_t index = 0;
    std::string name;
    std::string kind;  // rtnetlink's IFLA_INFO_KIND: "veth", "tun", "bond", …; empty: a device
    Mac mac;
    std::uint32_t mtu_bytes = 0;  // largest IP packet
    bool up = false;              // administratively
    bool running = false;         // and there is a carrier
    bool loopback = false;
    bool ethernet = false;          // carries Ethernet frames; not so TUN, WireGuard, PPP, loopback
    std::uint32_t rx_queues = 1;    // that exist; see active_rx_queues()
    std::uint32_t xdp_program = 0;  // id of the XDP program on it, 0: none
};

// Where the kernel would send a packet.
struct Route {
    Interface interface;
    IpAddress source;    // the address it would send from
    IpAddress next_hop;  // the gateway, or the destination itself
    bool local = false;  // the destination is an address of this machine
};

// Alternative names (ip-link(8), altname) are found too. Errors: kNotFound.
Result<Interface> interface_by_name(const std::string& name);
Result<Interface> interface_by_index(std::uint32_t index);
// The interface that holds `address`. Errors: kNotFound.
Result<Interface> interface_with(const IpAddress& address);

// The queues that packets can arrive on now (ethtool -l), at most interface.rx_queues.
Result<std::uint32_t> active_rx_queues(const Interface& interface);

// The route to `destination`, optionally from `source` or through `interface`. Errors: kNotFound
// for no route, an unreachable, prohibit or blackhole route; kUsage for destinations that no
// single host has (multicast, broadcast) and link-local ones without an interface.
Result<Route> route_to(const IpAddress& destination, const std::optional<IpAddress>& source,
    const std::optional<std::string>& interface);

// The link address of `next_hop` in the kernel's neighbour table, stale ones included (a
// NetworkWatch tells if they change). A missing one is resolved by the kernel: we poke it with
// UDP datagrams to port 9 (discard), at least once, and block for at most `patience`. Errors:
// kTimeout; kUsage if the interface has no link addresses.
Result<Mac> resolve_neighbour(
    const Interface& interface, const IpAddress& next_hop, std::chrono::milliseconds patience);

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

// Follows neighbours, links and routes. fd() becomes readable when something has happened; drain()
// then calls back for each change, in order. Of routes, rules and next hops it only tells that some
// have changed, after all else and once: which of them lead where, route_to() knows. If the kernel
// dropped messages (ENOBUFS), drain() returns false and the caller reads anew what it depends on.
// One thread.
class NetworkWatch {
public:
    struct Events {
        std::function<void(const NeighbourChange&)> neighbour = [](const NeighbourChange&) {};
        std::function<void(const LinkChange&)> link = [](const LinkChange&) {};
        std::function<void()> routes = [] {};
    };

    static Result<NetworkWatch> open();

    [[nodiscard]] int fd() const { return socket_.get(); }
    bool drain(const Events& events);

private:
    explicit NetworkWatch(UniqueFd socket) : socket_{std::move(socket)} {}
    UniqueFd socket_;
};

}  // namespace dpdkperf::host
