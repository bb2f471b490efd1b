#include "link.hpp"

#include "rtnetlink.hpp"
#include "system_error.hpp"

#include <cerrno>

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

std::uint32_t xdp_program_in(const nlattr* xdp)
{
    const Attributes<IFLA_XDP_HW_PROG_ID> nested{xdp};
    // With programs in several modes there is no IFLA_XDP_PROG_ID (Linux, rtnl_xdp_fill()).
    for (const auto type :
        {IFLA_XDP_PROG_ID, IFLA_XDP_HW_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID}) {
        if (const std::uint32_t id = nested.number(type); id != 0) {
            return id;
        }
    }
    return 0;
}

// `subject` for the error: "interface veth0".
Result<Interface> ask_for_link(Request& request, const std::string& subject)
{
    std::optional<Interface> found;
    const int error = ask_kernel(request, [&](const nlmsghdr& m) { found = parse_link(m); });
    if (error == ENODEV || (error == 0 && !found)) {
        return Error{Errc::kNotFound, subject + " does not exist"};
    }
    if (error != 0) {
        return system_error(subject, error);
    }
    return *std::move(found);
}

}  // namespace

bool is_running(unsigned flags)
{
    return (flags & IFF_UP) != 0 && (flags & IFF_LOWER_UP) != 0 && (flags & IFF_DORMANT) == 0;
}

std::optional<Interface> parse_link(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_NEWLINK ||
        mnl_nlmsg_get_payload_len(&message) < sizeof(ifinfomsg)) {
        return std::nullopt;
    }
    const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
    if (info.ifi_family != AF_UNSPEC) {
        return std::nullopt;
    }
    const Attributes<IFLA_XDP> link{message, sizeof info};
    const Attributes<IFLA_INFO_KIND> details{link[IFLA_LINKINFO]};
    Interface i;
    i.index = static_cast<std::uint32_t>(info.ifi_index);
    i.name = text_in(link[IFLA_IFNAME]);
    i.kind = text_in(details[IFLA_INFO_KIND]);
    i.mac = mac_in(link[IFLA_ADDRESS]).value_or(Mac{});
    i.mtu_bytes = link.number(IFLA_MTU);
    i.up = (info.ifi_flags & IFF_UP) != 0;
    i.running = is_running(info.ifi_flags);
    i.loopback = (info.ifi_flags & IFF_LOOPBACK) != 0;
    i.ethernet = info.ifi_type == ARPHRD_ETHER;
    i.rx_queues = link.number(IFLA_NUM_RX_QUEUES);
    i.xdp_program = xdp_program_in(link[IFLA_XDP]);
    return i;
}

Result<Interface> interface_by_name(const std::string& name)
{
    const std::string subject = "interface " + name;
    if (name.empty() || name.size() >= ALTIFNAMSIZ) {
        return Error{Errc::kNotFound, subject + " does not exist"};
    }
    Request request{RTM_GETLINK, 0};
    request.body<ifinfomsg>();
    const bool only_alternative = name.size() >= IFNAMSIZ;
    request.add(only_alternative ? IFLA_ALT_IFNAME : IFLA_IFNAME, name);
    return ask_for_link(request, subject);
}

Result<Interface> interface_by_index(std::uint32_t index)
{
    Request request{RTM_GETLINK, 0};
    request.body<ifinfomsg>().ifi_index = static_cast<int>(index);
    return ask_for_link(request, "interface with index " + std::to_string(index));
}

Result<Interface> interface_with(const IpAddress& address)
{
    std::optional<std::uint32_t> index;
    Request request{RTM_GETADDR, NLM_F_DUMP};
    request.body<ifaddrmsg>().ifa_family = family_of(address);
    const int error = ask_kernel(request, [&](const nlmsghdr& m) {
        if (m.nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(&m) < sizeof(ifaddrmsg)) {
            return;
        }
        // On a point-to-point link IFA_ADDRESS is the other end (linux/if_addr.h).
        const Attributes<IFA_LOCAL> a{m, sizeof(ifaddrmsg)};
        const auto held = ip_address_in(a[IFA_LOCAL] != nullptr ? a[IFA_LOCAL] : a[IFA_ADDRESS]);
        if (held == address && !index) {
            index = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&m))->ifa_index;
        }
    });
    if (error != 0) {
        return system_error("addresses of this machine", error);
    }
    if (!index) {
        return Error{Errc::kNotFound, "no interface has the address " + to_string(address)};
    }
    return interface_by_index(*index);
}

}  // namespace dpdkperf::host
