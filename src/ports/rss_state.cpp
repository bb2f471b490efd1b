#include "dpdkperf/ports/rss_state.hpp"

#include <algorithm>

#include <rte_ethdev.h>

namespace dpdkperf::ports {

namespace {

// i40e and others copy their whole key, whatever length they are offered
// (i40e_ethdev.c, i40e_dev_rss_hash_conf_get(), DPDK 22.11).
constexpr std::size_t kLongestKey = 256;
constexpr std::size_t kShortestKey = 40;  // covers an IPv6 tuple with ports

std::vector<std::uint16_t> read_table(std::uint16_t port_id, std::uint16_t entries)
{
    std::vector<rte_eth_rss_reta_entry64> groups(
        (entries + RTE_ETH_RETA_GROUP_SIZE - 1U) / RTE_ETH_RETA_GROUP_SIZE);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const std::size_t left = entries - i * RTE_ETH_RETA_GROUP_SIZE;
        groups[i].mask =
            left >= RTE_ETH_RETA_GROUP_SIZE ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    }
    if (groups.empty() || rte_eth_dev_rss_reta_query(port_id, groups.data(), entries) != 0) {
        return {};
    }
    std::vector<std::uint16_t> queues;
    for (std::uint16_t i = 0; i < entries; ++i) {
        queues.push_back(groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE]);
    }
    return queues;
}

}  // namespace

bool RssState::hashes_ports(bool ipv4, IpProtocol protocol) const
{
    const bool tcp = protocol == IpProtocol::kTcp;
    const std::uint64_t wanted =
        ipv4 ? (tcp ? RTE_ETH_RSS_NONFRAG_IPV4_TCP : RTE_ETH_RSS_NONFRAG_IPV4_UDP)
             : (tcp ? RTE_ETH_RSS_NONFRAG_IPV6_TCP : RTE_ETH_RSS_NONFRAG_IPV6_UDP);
    return (functions & wanted) != 0;
}

std::optional<RssState> rss_state(std::uint16_t port_id)
{
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(port_id, &info) != 0 || info.reta_size == 0) {
        return {};
    }
    RssState state;
    state.key.resize(kLongestKey);
    rte_eth_rss_conf conf{};
    conf.rss_key = state.key.data();
    conf.rss_key_len = info.hash_key_size;
    if (rte_eth_dev_rss_hash_conf_get(port_id, &conf) != 0 || conf.rss_hf == 0) {
        return {};
    }
    state.key.resize(std::max<std::size_t>(info.hash_key_size, kShortestKey));
    state.functions = conf.rss_hf;
    state.queues = read_table(port_id, info.reta_size);
    const bool reachable = std::ranges::all_of(
        state.queues, [&](std::uint16_t queue) { return queue < info.nb_rx_queues; });
    if (state.queues.empty() || !reachable) {
        return {};
    }
    return state;
}

}  // namespace dpdkperf::ports
