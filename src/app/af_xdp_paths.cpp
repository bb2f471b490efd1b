#include "af_xdp_paths.hpp"

#include "dpdkperf/host/interface_facts.hpp"
#include "eal_choice.hpp"

#include <algorithm>
#include <thread>

#include <asio/post.hpp>

namespace dpdkperf::app {

namespace {

// A NIC that takes an XDP program may renegotiate its link.
constexpr std::chrono::seconds kLinkPatience{8};

Error down(const host::Interface& interface, const std::string& remote)
{
    return {Errc::kDevice, "interface " + interface.name + " to " + remote +
                               " is down; bring it up with 'ip link set dev " + interface.name +
                               " up'"};
}

Result<host::Route> find_route(const control::PathRequest& request)
{
    const std::string remote = to_string(request.remote);
    if (request.device) {  // the kernel would say "no route" for an interface that is down
        auto device = host::interface_by_name(*request.device);
        if (!device || !device->up) {
            return device ? down(*device, remote) : std::move(device).error();
        }
    }
    auto route = host::route_to(request.remote, request.local, request.device);
    if (!route) {
        return route;
    }
    if (route->local || route->interface.loopback) {
        return Error{Errc::kUsage,
            remote + " is an address of this machine: the kernel would " +
                "deliver it locally and no packet would reach an interface; run the other end " +
                "on another machine or in another network namespace"};
    }
    if (!route->interface.up) {
        return down(route->interface, remote);
    }
    return route;
}

Status wait_for_link(const host::Interface& interface, std::chrono::seconds patience)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto now = host::interface_by_index(interface.index);
        if (!now) {
            return std::move(now).error();
        }
        if (now->running) {
            return {};
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            return Error{Errc::kDevice,
                "interface " + interface.name + " has no carrier (cable, " + "module or peer?)"};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

// A Linux peer behind these leaves checksums to a device that is not there.
bool peer_skips_checksums(const host::Interface& interface)
{
    return interface.kind == "veth" || interface.kind == "tun" ||
           host::interface_facts(interface).driver == "virtio_net";
}

// Queue q goes to poller q modulo their number; pollers without a queue are not started.
std::vector<engine::PollerSetup> deal_queues(
    const std::vector<unsigned>& lcores, const std::vector<ports::QueuePair>& queues)
{
    std::vector<engine::PollerSetup> pollers;
    for (std::size_t q = 0; q < queues.size(); ++q) {
        if (q < lcores.size()) {
            pollers.push_back({.lcore = lcores[q], .queues = {}});
        }
        pollers[q % lcores.size()].queues.push_back(queues[q]);
    }
    return pollers;
}

}  // namespace

AfXdpPaths::AfXdpPaths(
    asio::io_context& loop, host::Keeper& keeper, std::vector<std::string> eal_arguments)
    : loop_{loop}, keeper_{keeper}, eal_arguments_{std::move(eal_arguments)}, idle_{loop}
{
}

AfXdpPaths::~AfXdpPaths()
{
    worker_.join();
    close_port();
}

void AfXdpPaths::acquire(const control::PathRequest& request, Handler handler)
{
    idle_.cancel();
    const std::uint64_t generation = ++generation_;
    asio::post(worker_, [this, request, generation, handler = std::move(handler)]() mutable {
        auto path = find(request);
        asio::post(loop_,
            [this, generation, path = std::move(path), handler = std::move(handler)]() mutable {
                if (generation == generation_) {
                    handler(std::move(path));
                }
            });
    });
}

void AfXdpPaths::release()
{
    ++generation_;
    idle_.expires_after(kIdle);
    idle_.async_wait([this](const asio::error_code& cancelled) {
        if (!cancelled) {
            asio::post(worker_, [this] { close_port(); });
        }
    });
}

Result<control::DataPath> AfXdpPaths::find(const control::PathRequest& request)
{
    auto route = find_route(request);
    if (!route) {
        return std::move(route).error();
    }
    if (port_ && port_->interface().index != route->interface.index) {
        close_port();
    }
    // An interface that had a carrier gets time to find it again after we have attached to it.
    if (Status status = wait_for_link(route->interface, std::chrono::seconds{0}); !status) {
        return std::move(status).error();
    }
    if (!port_) {
        if (Status status = open(route->interface); !status) {
            return std::move(status).error();
        }
    }
    if (Status status = wait_for_link(route->interface, kLinkPatience); !status) {
        return std::move(status).error();
    }
    const auto mac = host::resolve_neighbour(route->interface, route->next_hop, request.patience);
    if (!mac) {
        return mac.error();
    }
    return control::DataPath{.traffic = engine_.get(),
        .steering = &port_->steering(),
        .interface = route->interface.name,
        .driver = port_->driver(),
        .interface_index = route->interface.index,
        .next_hop = *mac,
        .next_hop_address = route->next_hop,
        .local = request.local.value_or(route->source)};
}

Status AfXdpPaths::open(const host::Interface& interface)
{
    if (!eal_) {
        auto eal = start_eal(eal_arguments_, host::interface_facts(interface).numa_node, keeper_);
        if (!eal) {
            return std::move(eal).error();
        }
        eal_.emplace(*std::move(eal));
    }
    auto port = drivers::AfXdpPort::open(interface, *eal_, keeper_);
    if (!port) {
        return std::move(port).error();
    }
    auto engine = engine::create_udp_engine({.eal = &*eal_,
        .pollers = deal_queues(eal_->poller_lcores(), (*port)->queues()),
        .mac = interface.mac,
        .mtu_bytes = interface.mtu_bytes,
        .rx_checksum = peer_skips_checksums(interface) ? engine::RxChecksum::kVerifyOrPartial
                                                       : engine::RxChecksum::kVerify});
    if (!engine) {
        return std::move(engine).error();
    }
    port_ = *std::move(port);
    engine_ = *std::move(engine);
    return {};
}

void AfXdpPaths::close_port()
{
    engine_.reset();  // pollers let go of the queues
    port_.reset();
}

}  // namespace dpdkperf::app
