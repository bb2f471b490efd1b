#include "dpdkperf/ports/port_plan.hpp"

#include <algorithm>
#include <utility>

#include <rte_ethdev.h>

namespace dpdkperf::ports {

namespace {

using Fact = std::pair<std::string, std::string>;

// The names of the bits of a mask, in order, each without the prefix that all share.
std::string names(std::uint64_t mask, const char* (*name_of)(std::uint64_t))
{
    std::string text;
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t one = std::uint64_t{1} << bit;
        if ((mask & one) != 0) {
            text += (text.empty() ? "" : ", ") + std::string{name_of(one)};
        }
    }
    return text.empty() ? "none" : text;
}

const char* rss_name(std::uint64_t function)
{
    constexpr std::pair<std::uint64_t, const char*> kNames[] = {
        {RTE_ETH_RSS_IPV4, "IPv4"},
        {RTE_ETH_RSS_NONFRAG_IPV4_TCP, "IPv4 TCP"},
        {RTE_ETH_RSS_NONFRAG_IPV4_UDP, "IPv4 UDP"},
        {RTE_ETH_RSS_IPV6, "IPv6"},
        {RTE_ETH_RSS_NONFRAG_IPV6_TCP, "IPv6 TCP"},
        {RTE_ETH_RSS_NONFRAG_IPV6_UDP, "IPv6 UDP"},
    };
    const auto* const found =
        std::ranges::find(kNames, function, &std::pair<std::uint64_t, const char*>::first);
    return found == std::end(kNames) ? "other" : found->second;
}

std::string trust(RxTrust value)
{
    switch (value) {
    case RxTrust::kFlags:
        return "the device's word, else summed";
    case RxTrust::kFlagsOrMemory:
        return "the device's word, else a copy in memory: not summed";
    case RxTrust::kSumAll:
        break;
    }
    return "every datagram is summed";
}

std::string bytes(std::uint64_t count)
{
    return std::to_string(count) + " bytes";
}

std::string receive_filter(const PortPlan& plan)
{
    if (plan.promiscuous) {
        return "promiscuous";
    }
    return plan.all_multicast ? "own address and all multicast" : "own address";
}

std::string rss(const PortPlan& plan)
{
    if (plan.queue_pairs < 2) {
        return "off: one queue";
    }
    return plan.rss_functions == 0 ? "off: the device has none"
                                   : names(plan.rss_functions, rss_name);
}

std::vector<Fact> facts(const PortPlan& plan)
{
    return {
        {"driver", plan.driver},
        {"queue pairs", std::to_string(plan.queue_pairs)},
        {"descriptors", std::to_string(plan.rx_descriptors) + " receive, " +
                            std::to_string(plan.tx_descriptors) + " transmit, per queue"},
        {"burst", std::to_string(plan.burst) + " packets"},
        {"buffers", std::to_string(plan.pool_mbufs) + " of " + bytes(plan.data_room_bytes) +
                        " per queue pair, " + std::to_string(plan.cache_mbufs) + " cached"},
        {"NUMA node", plan.numa_node < 0 ? "any" : std::to_string(plan.numa_node)},
        {"MTU", plan.mtu_bytes == 0 ? "left to the driver" : bytes(plan.mtu_bytes)},
        {"RSS", rss(plan)},
        {"receives", receive_filter(plan)},
        {"transmit offloads", names(plan.tx_offloads, rte_eth_dev_tx_offload_name)},
        {"receive offloads", names(plan.rx_offloads, rte_eth_dev_rx_offload_name)},
        {"checksums in", trust(plan.rx_trust)},
        {"checksums out", plan.tso
                              ? "by the device in segments that it cuts, else real, by software"
                              : "always real, by software"},
        {"payload of TCP", plan.pinned_mbufs == 0 ? "copied into one buffer per packet"
                                                  : "in place, behind a buffer of headers"},
        {"segments of TCP", plan.tso ? "cut by the device (TSO)" : "cut by software"},
        {"link speed", plan.link_speed_known ? "as reported" : "unknown: the driver makes it up"},
    };
}

}  // namespace

std::string describe(const PortPlan& plan, std::string_view name)
{
    auto lines = facts(plan);
    if (plan.cap) {
        lines.emplace_back("device's limit", std::to_string(plan.cap->packets_per_second) +
                                                 " packets/s, " + std::string{plan.cap->source});
    }
    lines.emplace_back("status", plan.proof == Proof::kRun
                                     ? "run on the device, see docs/devices.md"
                                     : "source only: no run on the device is recorded");
    if (!plan.self_check.empty()) {
        lines.emplace_back("self check", plan.self_check);
    }
    std::size_t widest = 0;
    for (const auto& [key, value] : lines) {
        widest = std::max(widest, key.size());
    }
    std::string text = "port " + std::string{name} + "\n";
    for (const auto& [key, value] : lines) {
        text.append("  ").append(key).append(widest + 2 - key.size(), ' ');
        text.append(value).append("\n");
    }
    for (const std::string& note : plan.notes) {
        text += "  note: " + note + "\n";
    }
    return text;
}

}  // namespace dpdkperf::ports
