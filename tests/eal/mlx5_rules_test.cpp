#include "dpdkperf/drivers/mlx5_rules.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <gtest/gtest.h>
#include <rte_ethdev.h>

namespace dpdkperf::drivers {
namespace {

using Bytes = std::vector<int>;

// The first `size` bytes of a spec or mask as they lie in memory, which is as they are on the wire.
Bytes bytes(const void* item, std::size_t size)
{
    std::vector<std::uint8_t> raw(size);
    std::memcpy(raw.data(), item, size);
    return {raw.begin(), raw.end()};
}

// `count` bytes of zero, for what a rule does not look at.
Bytes joined(std::initializer_list<Bytes> parts)
{
    Bytes all;
    for (const Bytes& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}
Bytes zeros(std::size_t count)
{
    return Bytes(count, 0);
}
Bytes ones(std::size_t count)
{
    return Bytes(count, 0xff);
}

const Endpoint kPeer4{*IpAddress::parse("10.0.0.2"), 0x1234};
const Endpoint kOurs4{*IpAddress::parse("10.0.0.1"), 5201};  // 0x1451
const Endpoint kPeer6{*IpAddress::parse("fd00::2"), 0x1234};
const Endpoint kOurs6{*IpAddress::parse("fd00::1"), 5201};

// All of an item is compared, so nothing else in it may be set.
struct Seen {
    explicit Seen(const Mlx5Rule& rule) : flow{rule} {}

    [[nodiscard]] Bytes spec(std::size_t index, std::size_t size) const
    {
        return bytes(flow.pattern()[index].spec, size);
    }
    [[nodiscard]] Bytes mask(std::size_t index, std::size_t size) const
    {
        return bytes(flow.pattern()[index].mask, size);
    }
    [[nodiscard]] std::vector<rte_flow_item_type> types() const
    {
        std::vector<rte_flow_item_type> all;
        for (const rte_flow_item* i = flow.pattern(); i->type != RTE_FLOW_ITEM_TYPE_END; ++i) {
            all.push_back(i->type);
            EXPECT_EQ(i->last, nullptr) << "no ranges";
        }
        return all;
    }

    Mlx5Flow flow;
};

TEST(Mlx5Rules, TakeExactlyOneIpv4Flow)
{
    const Mlx5Rule rule = flow_rule(Transport::kUdp, kPeer4, kOurs4, 3);
    const Seen seen{rule};
    EXPECT_EQ(seen.types(),
        (std::vector{RTE_FLOW_ITEM_TYPE_ETH, RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_UDP}));
    EXPECT_EQ(seen.flow.pattern()[0].spec, nullptr) << "any Ethernet header";
    EXPECT_EQ(sizeof(rte_flow_item_ipv4), 20U);
    EXPECT_EQ(sizeof(rte_flow_item_udp), 8U);
    // Source and destination are bytes 12 to 19 of an IPv4 header.
    EXPECT_EQ(seen.spec(1, 20), joined({zeros(12), {10, 0, 0, 2}, {10, 0, 0, 1}}));
    EXPECT_EQ(seen.mask(1, 20), joined({zeros(12), ones(8)}));
    EXPECT_EQ(seen.spec(2, 8), joined({{0x12, 0x34, 0x14, 0x51}, zeros(4)}));
    EXPECT_EQ(seen.mask(2, 8), joined({ones(4), zeros(4)}));
}

TEST(Mlx5Rules, TakeExactlyOneIpv6Flow)
{
    const Mlx5Rule rule = flow_rule(Transport::kTcp, kPeer6, kOurs6, 0);
    const Seen seen{rule};
    EXPECT_EQ(seen.types(),
        (std::vector{RTE_FLOW_ITEM_TYPE_ETH, RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_TCP}));
    constexpr std::size_t kSize = sizeof(rte_flow_item_ipv6);
    EXPECT_EQ(kSize, 44U);  // a header and a word of flags for extensions
    EXPECT_EQ(sizeof(rte_flow_item_tcp), 20U);
    // Source and destination are bytes 8 to 39 of an IPv6 header.
    EXPECT_EQ(seen.spec(1, kSize),
        joined({zeros(8), {0xfd}, zeros(14), {2}, {0xfd}, zeros(14), {1}, zeros(4)}));
    EXPECT_EQ(seen.mask(1, kSize), joined({zeros(8), ones(32), zeros(4)}));
    EXPECT_EQ(seen.spec(2, 20), joined({{0x12, 0x34, 0x14, 0x51}, zeros(16)}));
    EXPECT_EQ(seen.mask(2, 20), joined({ones(4), zeros(16)}));
}

TEST(Mlx5Rules, SendAFlowToItsQueueOnArrivalOnly)
{
    const Mlx5Rule rule = flow_rule(Transport::kTcp, kPeer4, kOurs4, 7);
    const Mlx5Flow flow{rule};
    EXPECT_EQ(flow.attributes().ingress, 1U);
    EXPECT_EQ(flow.attributes().egress, 0U);
    EXPECT_EQ(flow.attributes().transfer, 0U);
    EXPECT_EQ(flow.attributes().group, 0U);
    ASSERT_EQ(flow.actions()[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
    EXPECT_EQ(static_cast<const rte_flow_action_queue*>(flow.actions()[0].conf)->index, 7);
    EXPECT_EQ(flow.actions()[1].type, RTE_FLOW_ACTION_TYPE_END);
}

TEST(Mlx5Rules, SpreadWhatAPeerSendsToTheServersPort)
{
    Mlx5RssKey key{};
    std::iota(key.begin(), key.end(), std::uint8_t{1});
    const std::uint16_t queues[] = {4, 5, 6, 7};
    for (const bool ipv4 : {true, false}) {
        SCOPED_TRACE(ipv4);
        const Mlx5Rule rule =
            peer_rule((ipv4 ? kPeer4 : kPeer6).address, ipv4 ? kOurs4 : kOurs6, queues, key);
        const Seen seen{rule};
        EXPECT_EQ(seen.types(),
            (std::vector{RTE_FLOW_ITEM_TYPE_ETH,
                ipv4 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_UDP}));
        EXPECT_EQ(seen.spec(2, 8), joined({{0, 0, 0x14, 0x51}, zeros(4)}));
        EXPECT_EQ(seen.mask(2, 8), joined({{0, 0}, ones(2), zeros(4)})) << "any port of the peer";
        ASSERT_EQ(seen.flow.actions()[0].type, RTE_FLOW_ACTION_TYPE_RSS);
        const auto& rss = *static_cast<const rte_flow_action_rss*>(seen.flow.actions()[0].conf);
        EXPECT_EQ(rss.func, RTE_ETH_HASH_FUNCTION_TOEPLITZ);
        EXPECT_EQ(rss.level, 0U);
        EXPECT_EQ(rss.types, ipv4 ? RTE_ETH_RSS_NONFRAG_IPV4_UDP : RTE_ETH_RSS_NONFRAG_IPV6_UDP);
        EXPECT_EQ(rss.key_len, 40U);
        EXPECT_TRUE(std::equal(key.begin(), key.end(), rss.key));
        EXPECT_EQ((std::vector<std::uint16_t>{rss.queue, rss.queue + rss.queue_num}),
            (std::vector<std::uint16_t>{4, 5, 6, 7}));
    }
}

TEST(Mlx5Rules, SendAPeerToTheOnlyQueueWithoutRss)
{
    const std::uint16_t only[] = {2};
    const Mlx5Rule rule = peer_rule(kPeer4.address, kOurs4, only, {});
    const Mlx5Flow flow{rule};
    ASSERT_EQ(flow.actions()[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
    EXPECT_EQ(static_cast<const rte_flow_action_queue*>(flow.actions()[0].conf)->index, 2);
}

TEST(Mlx5Rules, PreferAKnownFlowToItsPeer)
{
    const std::uint16_t queues[] = {0, 1};
    // A lower number is a higher priority (rte_flow.rst, DPDK 22.11).
    EXPECT_LT(flow_rule(Transport::kUdp, kPeer4, kOurs4, 0).attributes.priority,
        peer_rule(kPeer4.address, kOurs4, queues, {}).attributes.priority);
}

TEST(Mlx5Rules, SurviveBeingCopied)
{
    std::vector<Mlx5Rule> rules;
    for (std::uint16_t queue = 0; queue < 40; ++queue) {  // moves the earlier ones
        rules.push_back(flow_rule(Transport::kUdp, kPeer4, kOurs4, queue));
    }
    const Mlx5Flow flow{rules.front()};
    const auto* first = static_cast<const void*>(rules.data());
    const auto* last = static_cast<const void*>(&rules.front() + 1);
    EXPECT_GE(flow.pattern()[1].spec, first);
    EXPECT_LT(flow.pattern()[1].spec, last);
}

}  // namespace
}  // namespace dpdkperf::drivers
