#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/control/data_path.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

// NOLINTNEXTLINE(readability-identifier-naming): asio's name
namespace asio {
class io_context;
}

namespace dpdkperf::control {

// While it is held, a watch() goes on.
using WatchHold = std::shared_ptr<void>;

// Tells what happens to the ways to the peers while tests run. A route that leads to another next
// hop through the same interface is followed, and that next hop told. Main thread only.
class PathWatch {
public:
    struct Events {
        std::function<void(const Mac&)> next_hop_moved;
        std::function<void()> interface_removed;
        std::function<void(bool up)> link_changed;
        // The kernel's route leads nowhere, or through another interface, as `where_to` says.
        std::function<void(const std::string& where_to)> route_left;
        // An ICMP (else ICMPv6) message, without its IP header, whoever it is meant for.
        std::function<void(std::span<const std::byte> message, bool ipv4)> icmp_came;
    };

    PathWatch() = default;
    PathWatch(const PathWatch&) = delete;
    PathWatch& operator=(const PathWatch&) = delete;
    virtual ~PathWatch() = default;

    // Calls back on the event loop until the hold is gone. This outlives all holds.
    [[nodiscard]] virtual WatchHold watch(const DataPath& path, Events events) = 0;
};

// The kernel's routes, neighbours and links, by rtnetlink, and the ICMP errors that it receives, as
// far as this process may hear them (CAP_NET_RAW). Errors: no netlink socket.
Result<std::unique_ptr<PathWatch>> watch_kernel(asio::io_context& loop);

}  // namespace dpdkperf::control
