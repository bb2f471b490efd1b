#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/host/icmp_socket.hpp"
#include "dpdkperf/host/netlink.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <asio/posix/stream_descriptor.hpp>

namespace dpdkperf::control {

namespace {

using namespace std::chrono_literals;

// A socket for ICMP, and its place in the event loop.
struct IcmpEar {
    IcmpEar(asio::io_context& loop, host::IcmpSocket opened)
        : socket{std::move(opened)}, readable{loop, socket.fd()}
    {
    }
    IcmpEar(const IcmpEar&) = delete;
    IcmpEar& operator=(const IcmpEar&) = delete;
    // NOLINTNEXTLINE(bugprone-exception-escape): an open descriptor can be released
    ~IcmpEar() { readable.release(); }  // the file is the socket's to close

    host::IcmpSocket socket;
    asio::posix::stream_descriptor readable;
    bool waiting = false;
};

class KernelPathWatch final : public PathWatch {
public:
    KernelPathWatch(asio::io_context& loop, host::NetworkWatch watch)
        : watch_{std::move(watch)}, readable_{loop, watch_.fd()}
    {
        for (const bool ipv4 : {true, false}) {
            if (auto socket = host::IcmpSocket::open(ipv4)) {
                ears_.push_back(std::make_unique<IcmpEar>(loop, *std::move(socket)));
            }
        }
    }

    KernelPathWatch(const KernelPathWatch&) = delete;
    KernelPathWatch& operator=(const KernelPathWatch&) = delete;

    // NOLINTNEXTLINE(bugprone-exception-escape): an open descriptor can be released
    ~KernelPathWatch() override
    {
        readable_.release();  // the file is the watch's to close
    }

    [[nodiscard]] WatchHold watch(const DataPath& way, Events events) override
    {
        std::erase_if(paths_, [](const auto& path) { return path.expired(); });
        const std::shared_ptr<Path> path{
            new Path{way.asked, way.interface_index, way.next_hop_address, std::move(events)},
            [this](const Path* gone) {
                delete gone;
                stop_if_unwatched();
            }};
        paths_.push_back(path);
        wait();
        for (const auto& ear : ears_) {
            listen(*ear);
        }
        return path;
    }

private:
    // What somebody watches.
    struct Path {
        PathRequest asked;
        std::uint32_t interface_index;
        IpAddress next_hop;  // of the route, as it is now
        Events events;
        // As was told last.
        bool link_up = true;
        std::string route_elsewhere{};
    };

    [[nodiscard]] bool unwatched() const
    {
        return std::ranges::all_of(paths_, [](const auto& path) { return path.expired(); });
    }

    void stop_if_unwatched()
    {
        if (unwatched()) {
            asio::error_code ignored;
            readable_.cancel(ignored);
            for (const auto& ear : ears_) {
                ear->readable.cancel(ignored);
            }
        }
    }

    void wait()
    {
        if (unwatched() || std::exchange(waiting_, true)) {
            return;
        }
        readable_.async_wait(asio::posix::stream_descriptor::wait_read,
            [this, alive = std::weak_ptr{alive_}](const asio::error_code& failed) {
                if (!alive.lock()) {
                    return;
                }
                waiting_ = false;
                if (!failed) {
                    on_readable();
                }
                if (!failed || failed == asio::error::operation_aborted) {
                    wait();
                }
            });
    }

    void listen(IcmpEar& ear)
    {
        if (unwatched() || std::exchange(ear.waiting, true)) {
            return;
        }
        ear.readable.async_wait(asio::posix::stream_descriptor::wait_read,
            [this, &ear, alive = std::weak_ptr{alive_}](const asio::error_code& failed) {
                if (!alive.lock()) {
                    return;
                }
                ear.waiting = false;
                if (!failed) {
                    hear(ear);
                }
                if (!failed || failed == asio::error::operation_aborted) {
                    listen(ear);
                }
            });
    }

    void hear(IcmpEar& ear) const
    {
        ear.socket.read([&](std::span<const std::byte> message) {
            for_each_path(
                [&](const Path& path) { path.events.icmp_came(message, ear.socket.ipv4()); });
        });
    }

    // Each path that is still watched when its turn comes; `act` may end any of them.
    template <class Act>
    void for_each_path(Act act) const
    {
        const auto paths = paths_;
        for (const auto& weak : paths) {
            if (const auto path = weak.lock()) {
                act(*path);
            }
        }
    }

    void on_readable()
    {
        host::NetworkWatch::Events events;
        events.neighbour = [this](const host::NeighbourChange& change) {
            for_each_path([&](const Path& path) {
                const bool its = change.interface_index == path.interface_index &&
                                 change.address == path.next_hop;
                if (its && change.mac) {
                    path.events.next_hop_moved(*change.mac);
                }
            });
        };
        events.link = [this](const host::LinkChange& change) {
            for_each_path([&](Path& path) {
                if (change.interface_index != path.interface_index) {
                    return;
                }
                change.removed ? path.events.interface_removed() : on_link_change(change.up, path);
            });
        };
        events.routes = [this] { for_each_path([](Path& path) { follow_route(path); }); };
        if (!watch_.drain(events)) {
            for_each_path([](Path& path) { read_anew(path); });
        }
    }

    // Messages may be older than watch(), and of one change there may be several.
    static void on_link_change(bool up, Path& path)
    {
        if (!up) {
            const auto now = host::interface_by_index(path.interface_index);
            up = now && now->running;
        }
        if (std::exchange(path.link_up, up) != up) {
            path.events.link_changed(up);
            if (up) {
                follow_route(path);  // going down may have cost the interface its routes
            }
        }
    }

    // Asks what was asked when the path was found.
    static void follow_route(Path& path)
    {
        const PathRequest& asked = path.asked;
        const auto route = host::route_to(asked.remote, asked.local, asked.device);
        if (route && route->interface.index == path.interface_index) {
            path.route_elsewhere.clear();
            path.next_hop = route->next_hop;
            return look_up_next_hop(route->interface, path);
        }
        const auto interface = host::interface_by_index(path.interface_index);
        if (!interface || !interface->running) {
            return;  // that is told, and is why
        }
        const std::string elsewhere = route ? "the route to " + to_string(asked.remote) +
                                                  " leads through " + route->interface.name + " now"
                                            : route.error().message;
        if (std::exchange(path.route_elsewhere, elsewhere) != elsewhere) {
            path.events.route_left(elsewhere);
        }
    }

    // As the kernel knows it now; if it does not yet, its finding out is a change of a neighbour.
    static void look_up_next_hop(const host::Interface& interface, const Path& path)
    {
        if (const auto mac = host::resolve_neighbour(interface, path.next_hop, 0ms)) {
            path.events.next_hop_moved(*mac);
        }
    }

    // Messages were lost.
    static void read_anew(Path& path)
    {
        const auto interface = host::interface_by_index(path.interface_index);
        if (!interface) {
            return path.events.interface_removed();
        }
        on_link_change(interface->running, path);
        follow_route(path);
    }

    host::NetworkWatch watch_;
    asio::posix::stream_descriptor readable_;
    std::vector<std::unique_ptr<IcmpEar>> ears_;
    std::vector<std::weak_ptr<Path>> paths_;
    bool waiting_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for the handler that is due
};

}  // namespace

Result<std::unique_ptr<PathWatch>> watch_kernel(asio::io_context& loop)
{
    auto watch = host::NetworkWatch::open();
    if (!watch) {
        return std::move(watch).error();
    }
    return std::unique_ptr<PathWatch>{std::make_unique<KernelPathWatch>(loop, std::move(*watch))};
}

}  // namespace dpdkperf::control
