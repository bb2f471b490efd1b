#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/host/icmp_socket.hpp"
#include "dpdkperf/host/netlink.hpp"

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
        unwatch();
        readable_.release();  // the file is the watch's to close
    }

    void watch(std::uint32_t interface_index, const IpAddress& next_hop, Events events) override
    {
        interface_index_ = interface_index;
        next_hop_ = next_hop;
        link_up_ = true;
        events_ = std::make_shared<Events>(std::move(events));
        wait();
        for (const auto& ear : ears_) {
            listen(*ear);
        }
    }

    void unwatch() override
    {
        events_.reset();
        asio::error_code ignored;
        readable_.cancel(ignored);
        for (const auto& ear : ears_) {
            ear->readable.cancel(ignored);
        }
    }

private:
    void wait()
    {
        readable_.async_wait(asio::posix::stream_descriptor::wait_read,
            [this, events = std::weak_ptr{events_}](const asio::error_code& failed) {
                // Gone with unwatch(), and with this object.
                if (const auto still = events.lock(); still && !failed) {
                    on_readable(*still);
                    if (still == events_) {
                        wait();
                    }
                }
            });
    }

    void listen(IcmpEar& ear)
    {
        ear.readable.async_wait(asio::posix::stream_descriptor::wait_read,
            [this, &ear, events = std::weak_ptr{events_}](const asio::error_code& failed) {
                if (const auto still = events.lock(); still && !failed) {
                    ear.socket.read([&](std::span<const std::byte> message) {
                        still->icmp_came(message, ear.socket.ipv4());
                    });
                    if (still == events_) {
                        listen(ear);
                    }
                }
            });
    }

    void on_readable(const Events& events)
    {
        const auto on_neighbour = [&](const host::NeighbourChange& change) {
            const bool ours =
                change.interface_index == interface_index_ && change.address == next_hop_;
            if (ours && change.mac) {
                events.next_hop_moved(*change.mac);
            }
        };
        const auto on_link = [&](const host::LinkChange& change) {
            if (change.interface_index != interface_index_) {
                return;
            }
            change.removed ? events.interface_removed() : on_link_change(change.up, events);
        };
        if (!watch_.drain(on_neighbour, on_link)) {
            read_anew(events);
        }
    }

    // Messages may be older than watch(), and of one change there may be several.
    void on_link_change(bool up, const Events& events)
    {
        if (!up) {
            const auto now = host::interface_by_index(interface_index_);
            up = now && now->running;
        }
        if (std::exchange(link_up_, up) != up) {
            events.link_changed(up);
        }
    }

    // Messages were lost. The table is read without waiting for an answer from the network.
    void read_anew(const Events& events)
    {
        const auto interface = host::interface_by_index(interface_index_);
        if (!interface) {
            return events.interface_removed();
        }
        if (const auto mac = host::resolve_neighbour(*interface, next_hop_, 0ms)) {
            events.next_hop_moved(*mac);
        }
    }

    host::NetworkWatch watch_;
    asio::posix::stream_descriptor readable_;
    std::vector<std::unique_ptr<IcmpEar>> ears_;
    std::uint32_t interface_index_ = 0;
    IpAddress next_hop_;
    bool link_up_ = true;             // as was told last
    std::shared_ptr<Events> events_;  // weakly held by the handler that is due
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
