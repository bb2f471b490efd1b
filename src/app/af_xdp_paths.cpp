#include "af_xdp_paths.hpp"

#include "dpdkperf/host/interface_facts.hpp"
#include "eal_choice.hpp"
#include "pollers.hpp"
#include "port_text.hpp"
#include "routes.hpp"

#include <thread>

namespace dpdkperf::app {

namespace {

// The kernel gives a queue back some time after its AF_XDP socket is closed; until then it cannot
// be had again (xp_release_deferred(), Linux 6.1, net/xdp/xsk_buff_pool.c).
constexpr std::chrono::milliseconds kQueueRelease{250};

// A Linux peer behind these leaves checksums to a device that is not there.
bool peer_skips_checksums(const host::Interface& interface)
{
    return interface.kind == "veth" || interface.kind == "tun" ||
           host::interface_facts(interface).driver == "virtio_net";
}

}  // namespace

AfXdpPaths::AfXdpPaths(asio::io_context& loop, host::Keeper& keeper, const options::Plan& plan,
    const Privileges& privileges, capture::Capture* capture)
    : loop_{loop},
      keeper_{keeper},
      privileges_{privileges},
      capture_{capture},
      plan_{plan},
      place_{plan},
      idle_{loop},
      worker_{loop}
{
}

AfXdpPaths::~AfXdpPaths()
{
    worker_.join();
    close_port();
}

control::PathHold AfXdpPaths::acquire(const control::PathRequest& request, Handler handler)
{
    idle_.cancel();
    const bool alone = users_++ == 0;
    control::PathHold hold{this, [this](void*) { release(); }};
    worker_.ask([this, request, alone] { return find(request, alone); }, hold, std::move(handler));
    return hold;
}

void AfXdpPaths::release()
{
    if (--users_ > 0) {
        return;
    }
    idle_.expires_after(kIdle);
    idle_.async_wait([this](const asio::error_code& cancelled) {
        if (!cancelled && users_ == 0) {
            worker_.run([this] { close_port(); });
        }
    });
}

Result<control::DataPath> AfXdpPaths::find(const control::PathRequest& request, bool alone)
{
    auto route = find_route(request);
    if (!route) {
        return std::move(route).error();
    }
    if (port_ && port_->interface().index != route->interface.index) {
        if (!alone) {
            return Error{Errc::kBusy, "interface " + route->interface.name + ": a test runs on " +
                                          port_->interface().name +
                                          ", and all tests at a time share one interface"};
        }
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
    if (Status status = place_.settle(*eal_, request.cpu); !status) {
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
        .link_speed = host::interface_facts(route->interface).link_speed,
        .interface_index = route->interface.index,
        .asked = request,
        .next_hop = *mac,
        .next_hop_address = route->next_hop,
        .local = request.local.value_or(route->source),
        .streams = default_streams(plan_.eal_arguments, pollers_),
        .plan = port_text_};
}

Status AfXdpPaths::open(const host::Interface& interface)
{
    std::this_thread::sleep_until(queues_free_at_);
    if (!eal_) {
        auto eal = start_eal(plan_, needs_of(interface));
        if (!eal) {
            return std::move(eal).error();
        }
        eal_.emplace(*std::move(eal));
    }
    if (plan_.save_folder) {
        auto plan = text_of(interface, *eal_);
        if (!plan) {
            return std::move(plan).error();
        }
        port_text_ = *std::move(plan);
    }
    auto port = drivers::AfXdpPort::open(interface, *eal_, keeper_);
    if (!port) {
        return std::move(port).error();
    }
    auto pollers = deal_queues(eal_->poller_lcores(), (*port)->queues());
    pollers_ = pollers.size();
    const std::uint16_t capture_interface =
        capture_ != nullptr
            ? capture_->add_interface(interface.name, (*port)->driver(), interface.mac)
            : std::uint16_t{0};
    auto engine = engine::create_engine({.eal = &*eal_,
        .pollers = std::move(pollers),
        .mac = interface.mac,
        .mtu_bytes = interface.mtu_bytes,
        .rx_checksum = peer_skips_checksums(interface) && !plan_.verify_all_checksums
                           ? engine::RxChecksum::kVerifyOrPartial
                           : engine::RxChecksum::kVerify,
        .rss = (*port)->rss(),
        .impairment = plan_.impairment,
        .capture = capture_,
        .capture_interface = capture_interface});
    if (!engine) {
        return std::move(engine).error();
    }
    port_ = *std::move(port);
    engine_ = *std::move(engine);
    return {};
}

void AfXdpPaths::close_port()
{
    if (port_) {
        engine_.reset();  // pollers let go of the queues
        port_.reset();
        queues_free_at_ = Moment::clock::now() + kQueueRelease;
    }
}

}  // namespace dpdkperf::app
