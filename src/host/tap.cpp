#include "dpdkperf/host/tap.hpp"

#include "dpdkperf/host/netlink.hpp"
#include "rtnetlink.hpp"
#include "system_error.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

namespace dpdkperf::host {

namespace {

constexpr const char* kTunDevice = "/dev/net/tun";
constexpr std::uint32_t kMinIpv6Mtu = 1280;  // RFC 8200, 5

Error no_tun(int error)
{
    if (error == ENOENT || error == ENODEV) {
        return {Errc::kDevice,
            std::string{kTunDevice} + " does not exist; load its module with " + "'modprobe tun'"};
    }
    return system_error(kTunDevice, error);
}

Status check(const TapSettings& settings)
{
    if (settings.name.empty() || settings.name.size() >= IFNAMSIZ) {
        return Error{Errc::kUsage, "'" + settings.name + "' is no name for an interface"};
    }
    for (const IpPrefix& prefix : settings.addresses) {
        if (!prefix.address.is_v4() && settings.mtu_bytes < kMinIpv6Mtu) {
            return Error{Errc::kUsage, to_string(prefix) + ": IPv6 needs an MTU of at least " +
                                           std::to_string(kMinIpv6Mtu) + ", not " +
                                           std::to_string(settings.mtu_bytes)};
        }
        if (const auto holder = interface_with(prefix.address)) {
            return Error{Errc::kBusy,
                "interface " + holder->name + " has the address " + to_string(prefix.address) +
                    " already; give the port another one, or remove it " + "with 'ip address del " +
                    to_string(prefix.address) + "/LENGTH dev " + holder->name + "'"};
        }
    }
    return {};
}

Status carry_out(Request& request, const std::string& what)
{
    const int error = ask_kernel(request, [](const nlmsghdr&) {});
    return error == 0 ? Status{} : system_error(what, error);
}

}  // namespace

Result<Tap> Tap::open(const TapSettings& settings)
{
    if (Status status = check(settings); !status) {
        return std::move(status).error();
    }
    UniqueFd fd{::open(kTunDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!fd) {
        return no_tun(errno);
    }
    ifreq request{};
    settings.name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
        return system_error("TAP interface " + settings.name, errno);
    }
    std::string name{request.ifr_name};
    const auto made = interface_by_name(name);
    if (!made) {
        return made.error();
    }
    Tap tap{std::move(fd), std::move(name), made->index};
    if (Status status = tap.set_up(settings); !status) {
        return std::move(status).error().within("interface " + tap.name());
    }
    return tap;
}

Status Tap::set_up(const TapSettings& settings) const
{
    if (Status status = set_link(settings); !status) {
        return status;
    }
    for (const IpPrefix& prefix : settings.addresses) {
        if (Status status = add_address(prefix); !status) {
            return status;
        }
    }
    return {};
}

Status Tap::set_link(const TapSettings& settings) const
{
    Request request{RTM_NEWLINK, 0};
    auto& body = request.body<ifinfomsg>();
    body.ifi_index = static_cast<int>(index_);
    body.ifi_flags = IFF_UP;
    body.ifi_change = IFF_UP;
    request.add(IFLA_ADDRESS, settings.mac);
    request.add(IFLA_MTU, settings.mtu_bytes);
    return carry_out(
        request, "MAC " + to_string(settings.mac) + ", MTU " + std::to_string(settings.mtu_bytes));
}

Status Tap::add_address(const IpPrefix& prefix) const
{
    Request request{RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE};
    auto& body = request.body<ifaddrmsg>();
    body.ifa_family = family_of(prefix.address);
    body.ifa_prefixlen = prefix.bits;
    body.ifa_flags = IFA_F_NODAD;
    body.ifa_index = index_;
    request.add(IFA_LOCAL, prefix.address);
    request.add(IFA_ADDRESS, prefix.address);
    return carry_out(request, "address " + to_string(prefix));
}

Status Tap::add_route(const IpPrefix& destination, const IpAddress& gateway) const
{
    Request request{RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE};
    auto& body = request.body<rtmsg>();
    body.rtm_family = family_of(destination.address);
    body.rtm_dst_len = destination.bits;
    body.rtm_table = RT_TABLE_MAIN;
    body.rtm_protocol = RTPROT_STATIC;
    body.rtm_scope = RT_SCOPE_UNIVERSE;
    body.rtm_type = RTN_UNICAST;
    if (destination.bits > 0) {
        request.add(RTA_DST, destination.address);
    }
    request.add(RTA_GATEWAY, gateway);
    request.add(RTA_OIF, index_);
    return carry_out(
        request, "route to " + to_string(destination) + " through " + to_string(gateway));
}

void Tap::set_carrier(bool up) const
{
    int carrier = up ? 1 : 0;
    ioctl(fd_.get(), TUNSETCARRIER, &carrier);
}

}  // namespace dpdkperf::host
