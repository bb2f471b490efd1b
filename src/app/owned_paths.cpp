#include "owned_paths.hpp"

#include "eal_choice.hpp"
#include "named_devices.hpp"
#include "pollers.hpp"
#include "port_text.hpp"
#include "routes.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <unistd.h>

namespace dpdkperf::app {

namespace {

constexpr const char* kTwinName = "dpdkperf%d";

// Everything of either family (RFC 4632, RFC 4291 2.3: a prefix of no bits).
IpPrefix everywhere(bool ipv4)
{
    return {ipv4 ? IpAddress::from_v4(0) : IpAddress::from_v6_bytes({}), 0};
}

}  // namespace

Result<std::unique_ptr<OwnedPaths>> OwnedPaths::open(asio::io_context& loop, host::Keeper& keeper,
    const options::Plan& plan, const Privileges& privileges, capture::Capture* capture)
{
    if (Status status = check_named_devices(plan.eal_arguments); !status) {
        return std::move(status).error();
    }
    if (Status status = claim_eal_files(plan.eal_arguments, getuid(), keeper); !status) {
        return std::move(status).error();
    }
    auto eal = start_eal(plan, {.numa_node = node_of_devices(plan.eal_arguments)});
    if (!eal) {
        return std::move(eal).error();
    }
    std::unique_ptr<OwnedPaths> paths{
        new OwnedPaths{loop, plan, privileges, capture, *std::move(eal)}};
    for (const auto step :
        {&OwnedPaths::open_port, &OwnedPaths::open_twin, &OwnedPaths::create_engine}) {
        if (Status status = (paths.get()->*step)(); !status) {
            return std::move(status).error();
        }
    }
    keeper.seal();
    if (Status status = privileges.after_opening(); !status) {
        return std::move(status).error();
    }
    return paths;
}

OwnedPaths::OwnedPaths(asio::io_context& loop, const options::Plan& plan,
    const Privileges& privileges, capture::Capture* capture, ports::Eal eal)
    : plan_{plan},
      privileges_{privileges},
      capture_{capture},
      eal_{std::move(eal)},
      place_{plan},
      worker_{loop}
{
}

OwnedPaths::~OwnedPaths()
{
    worker_.join();
    engine_.reset();  // pollers let go of port and twin
    twin_.reset();
    port_.reset();
}

Status OwnedPaths::open_port()
{
    auto port = drivers::OwnedPort::open(eal_, port_request(plan_, eal_));
    if (!port) {
        return port.error().code == Errc::kNotFound ? no_port_of(plan_.eal_arguments)
                                                    : std::move(port).error();
    }
    port_ = *std::move(port);
    if (plan_.addresses.empty()) {
        return Error{Errc::kUsage,
            "port " + port_->name() + " has no address; give it one with --ip ADDRESS/LENGTH"};
    }
    return {};
}

Status OwnedPaths::open_twin()
{
    auto twin = drivers::KernelTwin::open({.tap = {.name = kTwinName,
                                               .mac = port_->mac(),
                                               .mtu_bytes = port_->mtu_bytes(),
                                               .addresses = plan_.addresses},
        .port_id = port_->id(),
        .pool = port_->queues().front().pool,
        .numa_node = port_->plan().numa_node});
    if (!twin) {
        return std::move(twin).error().within("kernel twin of port " + port_->name());
    }
    twin_ = *std::move(twin);
    for (const IpAddress& gateway : plan_.gateways) {
        if (!plan_.default_route) {
            continue;
        }
        if (Status s = twin_->tap().add_route(everywhere(gateway.is_v4()), gateway); !s) {
            return s;
        }
    }
    return {};
}

Status OwnedPaths::create_engine()
{
    const bool trusted =
        port_->plan().rx_trust == ports::RxTrust::kFlagsOrMemory && !plan_.verify_all_checksums;
    const std::uint16_t capture_interface =
        capture_ != nullptr
            ? capture_->add_interface(port_->name(), port_->plan().driver, port_->mac())
            : std::uint16_t{0};
    auto engine = engine::create_engine({.eal = &eal_,
        .pollers = deal_queues(eal_.poller_lcores(), port_->queues()),
        .mac = port_->mac(),
        .mtu_bytes = port_->mtu_bytes(),
        .rx_checksum = trusted ? engine::RxChecksum::kTrust : engine::RxChecksum::kVerify,
        .rss = port_->rss(),
        .exceptions = &twin_->exceptions(),
        .impairment = plan_.impairment,
        .capture = capture_,
        .capture_interface = capture_interface});
    if (!engine) {
        return std::move(engine).error();
    }
    engine_ = *std::move(engine);
    return {};
}

control::PathHold OwnedPaths::acquire(const control::PathRequest& request, Handler handler)
{
    control::PathHold hold = std::make_shared<bool>(true);
    worker_.ask([this, request] { return find(request); }, hold, std::move(handler));
    return hold;
}

Result<control::DataPath> OwnedPaths::find(control::PathRequest request)
{
    if (Status status = add_host_route(request.remote); !status) {
        return std::move(status).error();
    }
    request.device = twin();
    auto route = find_route(request);
    if (!route) {
        return std::move(route).error().within("port " + port_->name());
    }
    if (Status status = wait_for_link(route->interface, kLinkPatience); !status) {
        Error error = std::move(status).error().within("port " + port_->name());
        if (port_->plan().driver == "net_memif") {
            error.message += "; does the other side run, with as many polling lcores?";
        }
        return error;
    }
    if (Status status = place_.settle(eal_, request.cpu); !status) {
        return std::move(status).error();
    }
    const auto mac = host::resolve_neighbour(route->interface, route->next_hop, request.patience);
    if (!mac) {
        return mac.error();
    }
    return control::DataPath{.traffic = engine_.get(),
        .steering = &steering_,
        .interface = port_->name(),
        .driver = port_->plan().driver,
        .link_speed = port_->link_speed(),
        .interface_index = route->interface.index,
        .asked = request,
        .next_hop = *mac,
        .next_hop_address = route->next_hop,
        .local = request.local.value_or(route->source),
        .streams = default_streams(plan_.eal_arguments, eal_.poller_lcores().size()),
        .plan = text_of(port_->planned(), plan_.addresses, eal_)};
}

// A client's server behind the gateway; nobody else is reached through it unless the user says so.
Status OwnedPaths::add_host_route(const IpAddress& remote)
{
    const bool is_client = plan_.role == options::Role::kClient;
    const bool neighbour =
        std::ranges::any_of(plan_.addresses, [&](const IpPrefix& p) { return p.contains(remote); });
    const auto gateway = std::ranges::find_if(
        plan_.gateways, [&](const IpAddress& g) { return g.is_v4() == remote.is_v4(); });
    if (!is_client || neighbour || plan_.default_route || gateway == plan_.gateways.end()) {
        return {};
    }
    return twin_->tap().add_route(IpPrefix::host(remote), *gateway);
}

}  // namespace dpdkperf::app
