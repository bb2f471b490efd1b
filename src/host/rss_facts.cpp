#include "dpdkperf/host/rss_facts.hpp"

#include "ethtool.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <linux/ethtool.h>

namespace dpdkperf::host {

namespace {

constexpr std::size_t kShortestKey = 40;  // covers an IPv6 tuple with ports
constexpr std::uint8_t kToeplitz = 1U
                                   << 0;  // ETH_RSS_HASH_TOP (include/linux/ethtool.h, Linux 6.1)
constexpr std::uint32_t kMostEntries = 4096;  // many more than any device has
constexpr std::uint32_t kMostKeyBytes = 4096;

bool hashes_ports(const EthtoolCall& ethtool, std::uint32_t flow_type)
{
    ethtool_rxnfc flow{};
    flow.cmd = ETHTOOL_GRXFH;
    flow.flow_type = flow_type;
    constexpr std::uint64_t kAll = RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3;
    return ethtool(&flow) && flow.data == kAll;
}

// ETHTOOL_GRSSH's answer: this, entries of 32 bits, then the key. Nothing: it does not know.
std::vector<std::byte> rss_answer(const EthtoolCall& ethtool, ethtool_rxfh& head)
{
    head = {};
    head.cmd = ETHTOOL_GRSSH;  // with no room: tells the sizes
    if (!ethtool(&head) || head.indir_size > kMostEntries || head.key_size > kMostKeyBytes) {
        return {};
    }
    ethtool_rxfh question{};
    question.cmd = ETHTOOL_GRSSH;
    question.indir_size = head.indir_size;
    question.key_size = head.key_size;
    std::vector<std::byte> whole(
        sizeof head + head.indir_size * sizeof(std::uint32_t) + head.key_size);
    std::memcpy(whole.data(), &question, sizeof question);
    if (!ethtool(whole.data())) {
        return {};
    }
    std::memcpy(&question, whole.data(), sizeof question);
    head.hfunc = question.hfunc;
    std::ranges::copy(question.rsvd8, head.rsvd8);
    return whole;
}

// Behind hfunc lies what newer kernels call input_xfrm: how the input is folded before it is
// hashed (linux/ethtool.h, Linux 6.8). Older ones leave 0.
bool is_plain_toeplitz(const ethtool_rxfh& head)
{
    return head.hfunc == kToeplitz && head.rsvd8[0] == 0;
}

}  // namespace

std::optional<RssFacts> rss_facts(const EthtoolCall& ethtool)
{
    ethtool_rxfh head{};
    const auto answer = rss_answer(ethtool, head);
    if (answer.empty() || !is_plain_toeplitz(head) || head.indir_size == 0 ||
        head.key_size < kShortestKey) {
        return {};
    }
    RssFacts facts;
    const std::byte* at = answer.data() + sizeof head;
    for (std::uint32_t i = 0; i < head.indir_size; ++i) {
        std::uint32_t queue = 0;
        std::memcpy(&queue, at, sizeof queue);
        facts.queues.push_back(static_cast<std::uint16_t>(queue));
        at += sizeof queue;
    }
    facts.key.resize(head.key_size);
    std::memcpy(facts.key.data(), at, facts.key.size());
    facts.tcp4_ports = hashes_ports(ethtool, TCP_V4_FLOW);
    facts.udp4_ports = hashes_ports(ethtool, UDP_V4_FLOW);
    facts.tcp6_ports = hashes_ports(ethtool, TCP_V6_FLOW);
    facts.udp6_ports = hashes_ports(ethtool, UDP_V6_FLOW);
    return facts;
}

std::optional<RssFacts> rss_facts(const Interface& interface)
{
    return rss_facts([&](void* command) { return ethtool(interface, command) == 0; });
}

}  // namespace dpdkperf::host
