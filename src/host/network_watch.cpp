#include "dpdkperf/host/netlink.hpp"
#include "link.hpp"
#include "neighbour.hpp"
#include "rtnetlink.hpp"
#include "system_error.hpp"

#include <array>
#include <cerrno>
#include <initializer_list>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

// The kernel packs announcements one to a datagram, and a link's is about 2 KB.
constexpr std::size_t kEventBytes = 32768;

constexpr std::uint32_t groups(std::initializer_list<std::uint32_t> numbers)
{
    std::uint32_t all = 0;
    for (const std::uint32_t number : numbers) {
        all |= 1U << (number - 1);
    }
    return all;
}

constexpr std::uint32_t kGroups = groups({RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_ROUTE,
    RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP});

bool changes_routes(std::uint16_t type)
{
    switch (type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        return true;
    default:
        return false;
    }
}

std::optional<LinkChange> parse_link_change(const nlmsghdr& message)
{
    if ((message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) ||
        mnl_nlmsg_get_payload_len(&message) < sizeof(ifinfomsg)) {
        return std::nullopt;
    }
    const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
    // A bridge announces the leaving of a port as RTM_DELLINK of family AF_BRIDGE.
    if (info.ifi_family != AF_UNSPEC) {
        return std::nullopt;
    }
    const bool removed = message.nlmsg_type == RTM_DELLINK;
    return LinkChange{static_cast<std::uint32_t>(info.ifi_index),
        !removed && is_running(info.ifi_flags), removed};
}

}  // namespace

Result<NetworkWatch> NetworkWatch::open()
{
    UniqueFd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = kGroups;
    if (!socket ||
        bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return system_error("watch neighbours, links and routes", errno);
    }
    return NetworkWatch{std::move(socket)};
}

bool NetworkWatch::drain(const Events& events)
{
    bool complete = true, rerouted = false;
    alignas(nlmsghdr) std::array<std::byte, kEventBytes> buffer;
    for (;;) {
        const auto n = recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (n < 0 && errno == ENOBUFS) {
            complete = false;
            continue;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        int left = static_cast<int>(n);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (const auto neighbour = parse_neighbour(*message)) {
                events.neighbour(*neighbour);
            } else if (const auto link = parse_link_change(*message)) {
                events.link(*link);
            } else {
                rerouted |= changes_routes(message->nlmsg_type);
            }
        }
    }
    if (rerouted) {
        events.routes();
    }
    return complete;
}

}  // namespace dpdkperf::host
