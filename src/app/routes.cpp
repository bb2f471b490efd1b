#include "routes.hpp"

#include <string>
#include <thread>

namespace dpdkperf::app {

namespace {

Error down(const host::Interface& interface, const std::string& remote)
{
    return {Errc::kDevice, "interface " + interface.name + " to " + remote +
                               " is down; bring it up with 'ip link set dev " + interface.name +
                               " up'"};
}

}  // namespace

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

}  // namespace dpdkperf::app
