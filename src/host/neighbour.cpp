#include "neighbour.hpp"

#include "rtnetlink.hpp"
#include "socket_address.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>

#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

namespace dpdkperf::host {

namespace {

using std::chrono::milliseconds;

// RFC 863. A host without the service answers with an ICMP error, which nobody reads.
constexpr std::uint16_t kDiscardPort = 9;

// Upper bound of one wait for rtnetlink. The kernel gives up after three probes in 3 s and
// forgets; poking more often than it probes does nothing.
constexpr milliseconds kPokeInterval{500};

// What the kernel knows now; empty if there is no usable entry.
Result<std::optional<Mac>> look_up(const Interface& interface, const IpAddress& next_hop)
{
    Request request{RTM_GETNEIGH, 0};
    auto& body = request.body<ndmsg>();
    body.ndm_family = family_of(next_hop);
    body.ndm_ifindex = static_cast<int>(interface.index);
    request.add(NDA_DST, next_hop);
    std::optional<NeighbourChange> entry;
    const int error = ask_kernel(request, [&](const nlmsghdr& m) { entry = parse_neighbour(m); });
    if (error != 0 && error != ENOENT) {
        return system_error("neighbour " + to_string(next_hop), error);
    }
    return entry ? entry->mac : std::nullopt;
}

// Best effort: whether it worked shows in the neighbour table.
void poke(const Interface& interface, const IpAddress& next_hop)
{
    const UniqueFd socket{
        ::socket(family_of(next_hop), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.name.c_str(),
        static_cast<socklen_t>(interface.name.size()));
    const SocketAddress to{{next_hop, kDiscardPort}, interface.index};
    sendto(socket.get(), "", 0, 0, to.get(), to.length);
}

}  // namespace

std::optional<NeighbourChange> parse_neighbour(const nlmsghdr& message)
{
    const bool gone = message.nlmsg_type == RTM_DELNEIGH;
    if ((!gone && message.nlmsg_type != RTM_NEWNEIGH) ||
        mnl_nlmsg_get_payload_len(&message) < sizeof(ndmsg)) {
        return std::nullopt;
    }
    const auto& body = *static_cast<const ndmsg*>(mnl_nlmsg_get_payload(&message));
    const Attributes<NDA_LLADDR> a{message, sizeof body};
    const auto address = ip_address_in(a[NDA_DST]);
    if ((body.ndm_family != AF_INET && body.ndm_family != AF_INET6) || !address) {
        return std::nullopt;
    }
    // The kernel tells an address only while it would itself send to it: NUD_VALID, from
    // permanent to stale (Linux, net/core/neighbour.c, neigh_fill_info()).
    return NeighbourChange{static_cast<std::uint32_t>(body.ndm_ifindex), *address,
        gone ? std::nullopt : mac_in(a[NDA_LLADDR])};
}

Result<Mac> resolve_neighbour(
    const Interface& interface, const IpAddress& next_hop, milliseconds patience)
{
    using Clock = std::chrono::steady_clock;
    if (!interface.ethernet) {
        return Error{Errc::kUsage, "interface " + interface.name +
                                       " does not carry Ethernet frames, which dpdkperf needs"};
    }
    // Watching begins before the first look, so that no change falls between the two.
    auto watch = NetworkWatch::open();
    if (!watch) {
        return std::move(watch).error();
    }
    for (const auto deadline = Clock::now() + patience;;) {
        auto mac = look_up(interface, next_hop);
        if (!mac) {
            return std::move(mac).error();
        }
        if (*mac) {
            return **mac;
        }
        poke(interface, next_hop);
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        if (left <= milliseconds{0}) {
            return Error{Errc::kTimeout, "no answer from " + to_string(next_hop) +
                                             " to ARP or neighbour discovery on interface " +
                                             interface.name};
        }
        pollfd changed{watch->fd(), POLLIN, 0};
        poll(&changed, 1, static_cast<int>(std::min(left, kPokeInterval).count()));
        watch->drain({});
    }
}

}  // namespace dpdkperf::host
