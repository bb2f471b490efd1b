#include "dry_run.hpp"

#include "dpdkperf/control/host_address.hpp"
#include "dpdkperf/drivers/owned.hpp"
#include "dpdkperf/host/interface_facts.hpp"
#include "dpdkperf/host/netlink.hpp"
#include "eal_choice.hpp"
#include "named_devices.hpp"
#include "port_text.hpp"
#include "routes.hpp"

#include <optional>
#include <utility>

#include <unistd.h>

namespace dpdkperf::app {

namespace {

Result<std::string> describe_own(const options::Plan& plan, host::Keeper& keeper)
{
    if (Status status = check_named_devices(plan.eal_arguments); !status) {
        return std::move(status).error();
    }
    if (Status status = claim_eal_files(plan.eal_arguments, getuid(), keeper); !status) {
        return std::move(status).error();
    }
    const auto eal = start_eal(plan, {.numa_node = node_of_devices(plan.eal_arguments)});
    if (!eal) {
        return eal.error();
    }
    const auto request = port_request(plan, *eal);
    const auto port = drivers::OwnedPort::open(*eal, request, std::chrono::seconds{0});
    if (port) {
        return text_of((*port)->planned(), plan.addresses, *eal);
    }
    if (port.error().code != Errc::kPeer) {
        return port.error().code == Errc::kNotFound ? no_port_of(plan.eal_arguments) : port.error();
    }
    auto planned = drivers::OwnedPort::plan(request);
    if (!planned) {
        return planned.error();
    }
    planned->plan.self_check = "not made: " + port.error().message;
    return text_of(*planned, plan.addresses, *eal);
}

options::Family family_of(const IpAddress& address)
{
    return address.is_v4() ? options::Family::kIpv4 : options::Family::kIpv6;
}

// The interface that a test would use.
Result<host::Interface> interface_of(const options::Plan& plan)
{
    if (plan.bind_device) {
        return host::interface_by_name(*plan.bind_device);
    }
    std::optional<IpAddress> local;
    if (plan.bind_address) {
        auto address = control::address_of(*plan.bind_address, plan.family);
        if (!address) {
            return std::move(address).error().within("-B");
        }
        local = *address;
    }
    if (plan.role == options::Role::kServer) {
        if (!local) {
            return Error{Errc::kUsage, "--dry-run: a server learns its interface from its client; "
                                       "name one with --bind-dev or -B"};
        }
        return host::interface_with(*local);
    }
    const auto remote = control::address_of(plan.host, local ? family_of(*local) : plan.family);
    if (!remote) {
        return remote.error();
    }
    auto route = find_route({.remote = *remote, .local = local, .device = {}});
    if (!route) {
        return std::move(route).error();
    }
    return route->interface;
}

Result<std::string> describe_af_xdp(const options::Plan& plan, host::Keeper& keeper)
{
    const auto interface = interface_of(plan);
    if (!interface) {
        return interface.error();
    }
    if (Status status = claim_eal_files(plan.eal_arguments, getuid(), keeper); !status) {
        return std::move(status).error();
    }
    const auto eal = start_eal(plan, needs_of(*interface));
    if (!eal) {
        return eal.error();
    }
    return text_of(*interface, *eal);
}

}  // namespace

Result<std::string> describe_port(const options::Plan& plan, host::Keeper& keeper)
{
    return ports::names_a_device(plan.eal_arguments) ? describe_own(plan, keeper)
                                                     : describe_af_xdp(plan, keeper);
}

}  // namespace dpdkperf::app
