#include "dpdkperf/drivers/mlx5_rules.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

namespace dpdkperf::drivers {

namespace {

// Lower numbers win. A flow that is known goes to its own queue, whatever is spread besides.
constexpr std::uint32_t kFlowPriority = 0;
constexpr std::uint32_t kPeerPriority = 1;

constexpr rte_be16_t kAllOfPort = 0xffff;
constexpr rte_be32_t kAllOfAddress = 0xffffffff;

Match<rte_flow_item_ipv4> match_ipv4(const IpAddress& source, const IpAddress& destination)
{
    Match<rte_flow_item_ipv4> match;
    match.spec.hdr.src_addr = rte_cpu_to_be_32(source.v4());
    match.spec.hdr.dst_addr = rte_cpu_to_be_32(destination.v4());
    match.mask.hdr.src_addr = match.mask.hdr.dst_addr = kAllOfAddress;
    return match;
}

Match<rte_flow_item_ipv6> match_ipv6(const IpAddress& source, const IpAddress& destination)
{
    Match<rte_flow_item_ipv6> match;
    std::ranges::copy(source.v6_bytes(), std::begin(match.spec.hdr.src_addr));
    std::ranges::copy(destination.v6_bytes(), std::begin(match.spec.hdr.dst_addr));
    std::ranges::fill(match.mask.hdr.src_addr, std::uint8_t{0xff});
    std::ranges::fill(match.mask.hdr.dst_addr, std::uint8_t{0xff});
    return match;
}

// A source port of 0 stands for any.
template <class Item>
Match<Item> match_ports(std::uint16_t source, std::uint16_t destination)
{
    Match<Item> match;
    match.spec.hdr.src_port = rte_cpu_to_be_16(source);
    match.spec.hdr.dst_port = rte_cpu_to_be_16(destination);
    match.mask.hdr.src_port = source == 0 ? rte_be16_t{0} : kAllOfPort;
    match.mask.hdr.dst_port = kAllOfPort;
    return match;
}

Mlx5Rule rule(Transport transport, const Endpoint& remote, const Endpoint& local)
{
    Mlx5Rule made;
    made.attributes.ingress = 1;
    if (local.address.is_v4()) {
        made.network = match_ipv4(remote.address, local.address);
    } else {
        made.network = match_ipv6(remote.address, local.address);
    }
    if (transport == Transport::kUdp) {
        made.transport = match_ports<rte_flow_item_udp>(remote.port, local.port);
    } else {
        made.transport = match_ports<rte_flow_item_tcp>(remote.port, local.port);
    }
    return made;
}

template <class Header>
rte_flow_item item(rte_flow_item_type type, const Match<Header>& match)
{
    return {.type = type, .spec = &match.spec, .last = nullptr, .mask = &match.mask};
}

rte_flow_item network_item(const Mlx5Rule& rule)
{
    if (const auto* ipv4 = std::get_if<Match<rte_flow_item_ipv4>>(&rule.network)) {
        return item(RTE_FLOW_ITEM_TYPE_IPV4, *ipv4);
    }
    return item(RTE_FLOW_ITEM_TYPE_IPV6, std::get<Match<rte_flow_item_ipv6>>(rule.network));
}

rte_flow_item transport_item(const Mlx5Rule& rule)
{
    if (const auto* udp = std::get_if<Match<rte_flow_item_udp>>(&rule.transport)) {
        return item(RTE_FLOW_ITEM_TYPE_UDP, *udp);
    }
    return item(RTE_FLOW_ITEM_TYPE_TCP, std::get<Match<rte_flow_item_tcp>>(rule.transport));
}

Error refused(std::uint16_t port, const char* what, int rc, const rte_flow_error& error)
{
    std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
    rte_eth_dev_get_name_by_port(port, name.data());
    std::string reason = rte_strerror(rc);
    if (error.message != nullptr && reason != error.message) {
        reason += std::string{" ("} + error.message + ")";
    }
    return {Errc::kDevice, std::string{"port "} + name.data() + ": " + what + ": " + reason};
}

}  // namespace

Mlx5Rule flow_rule(
    Transport transport, const Endpoint& remote, const Endpoint& local, std::uint16_t queue)
{
    Mlx5Rule made = rule(transport, remote, local);
    made.attributes.priority = kFlowPriority;
    made.queues = {queue};
    return made;
}

Mlx5Rule peer_rule(const IpAddress& peer, const Endpoint& server,
    std::span<const std::uint16_t> queues, const Mlx5RssKey& key)
{
    Mlx5Rule made = rule(Transport::kUdp, {peer, 0}, server);
    made.attributes.priority = kPeerPriority;
    made.queues.assign(queues.begin(), queues.end());
    made.rss_types =
        server.address.is_v4() ? RTE_ETH_RSS_NONFRAG_IPV4_UDP : RTE_ETH_RSS_NONFRAG_IPV6_UDP;
    made.rss_key = key;
    return made;
}

Mlx5Flow::Mlx5Flow(const Mlx5Rule& rule) : attributes_{rule.attributes}
{
    pattern_[0].type = RTE_FLOW_ITEM_TYPE_ETH;  // any: without a spec
    pattern_[1] = network_item(rule);
    pattern_[2] = transport_item(rule);
    pattern_[3].type = RTE_FLOW_ITEM_TYPE_END;
    if (rule.queues.size() == 1) {
        queue_.index = rule.queues.front();
        actions_[0] = {.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue_};
    } else {
        rss_.func = RTE_ETH_HASH_FUNCTION_TOEPLITZ;
        rss_.types = rule.rss_types;
        rss_.key = rule.rss_key.data();
        rss_.key_len = static_cast<std::uint32_t>(rule.rss_key.size());
        rss_.queue = rule.queues.data();
        rss_.queue_num = static_cast<std::uint32_t>(rule.queues.size());
        actions_[0] = {.type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rss_};
    }
    actions_[1].type = RTE_FLOW_ACTION_TYPE_END;
}

Status isolate(std::uint16_t port_id)
{
    rte_flow_error error{};
    constexpr int kOn = 1;
    if (rte_flow_isolate(port_id, kOn, &error) != 0) {
        return refused(port_id, "leave other packets to the kernel", rte_errno, error);
    }
    return {};
}

Result<rte_flow*> install(std::uint16_t port_id, const Mlx5Rule& rule)
{
    const Mlx5Flow flow{rule};
    rte_flow_error error{};
    rte_flow* made =
        rte_flow_create(port_id, &flow.attributes(), flow.pattern(), flow.actions(), &error);
    if (made == nullptr) {
        return refused(port_id, "rule for a flow", rte_errno, error);
    }
    return made;
}

}  // namespace dpdkperf::drivers
