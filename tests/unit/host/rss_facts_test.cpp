#include "dpdkperf/host/rss_facts.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <span>

#include <gtest/gtest.h>
#include <linux/ethtool.h>

namespace dpdkperf::host {
namespace {

constexpr std::uint64_t kAddresses = RXH_IP_SRC | RXH_IP_DST;
constexpr std::uint64_t kDiscarded = std::uint64_t{1} << 31;  // RXH_DISCARD
constexpr std::uint64_t kAddressesAndPorts = kAddresses | RXH_L4_B_0_1 | RXH_L4_B_2_3;

// A card that answers as the kernel does (ethtool_get_rxfh(), net/ethtool/ioctl.c, Linux 6.1): the
// sizes to a question without room, EINVAL to one with another room than it needs.
class Card {
public:
    std::uint8_t function = 1, folding = 0;
    std::vector<std::uint8_t> key;
    std::vector<std::uint32_t> table{0, 1, 2, 3, 0, 1, 2, 3};
    std::map<std::uint32_t, std::uint64_t> fields{{TCP_V4_FLOW, kAddressesAndPorts},
        {TCP_V6_FLOW, kAddressesAndPorts}, {UDP_V4_FLOW, kAddresses},
        {UDP_V6_FLOW, kDiscarded | kAddressesAndPorts}};
    bool knows_rss = true;

    Card() : key(40) { std::iota(key.begin(), key.end(), std::uint8_t{7}); }

    bool operator()(void* command) const
    {
        std::uint32_t number = 0;
        std::memcpy(&number, command, sizeof number);
        switch (number) {
        case ETHTOOL_GRSSH:
            return knows_rss && answer_rss(static_cast<std::byte*>(command));
        case ETHTOOL_GRXFH:
            return answer_fields(command);
        default:
            return false;
        }
    }

private:
    bool answer_rss(std::byte* command) const
    {
        ethtool_rxfh head{};
        std::memcpy(&head, command, sizeof head);
        const bool asks_sizes = head.indir_size == 0 && head.key_size == 0;
        if (!asks_sizes && (head.indir_size != table.size() || head.key_size != key.size())) {
            return false;
        }
        head.indir_size = static_cast<std::uint32_t>(table.size());
        head.key_size = static_cast<std::uint32_t>(key.size());
        if (!asks_sizes) {
            head.hfunc = function;
            head.rsvd8[0] = folding;
            const auto entries = std::as_bytes(std::span{table});
            std::ranges::copy(entries, command + sizeof head);
            std::ranges::copy(
                std::as_bytes(std::span{key}), command + sizeof head + entries.size());
        }
        std::memcpy(command, &head, sizeof head);
        return true;
    }
    bool answer_fields(void* command) const
    {
        ethtool_rxnfc flow{};
        std::memcpy(&flow, command, sizeof flow);
        const auto found = fields.find(flow.flow_type);
        if (found == fields.end()) {
            return false;
        }
        flow.data = found->second;
        std::memcpy(command, &flow, sizeof flow);
        return true;
    }
};

TEST(RssFacts, ReadsKeyTableAndFields)
{
    const Card card;
    const auto facts = rss_facts(EthtoolCall{card});
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->key, card.key);
    EXPECT_EQ(facts->queues, (std::vector<std::uint16_t>{0, 1, 2, 3, 0, 1, 2, 3}));
    EXPECT_TRUE(facts->tcp4_ports);
    EXPECT_FALSE(facts->udp4_ports) << "addresses only";
    EXPECT_TRUE(facts->tcp6_ports);
    EXPECT_FALSE(facts->udp6_ports) << "discarded";
}

TEST(RssFacts, TakesPortsForUnhashedWhereTheFieldsAreNotTold)
{
    Card card;
    card.fields.clear();
    const auto facts = rss_facts(EthtoolCall{card});
    ASSERT_TRUE(facts);
    EXPECT_FALSE(facts->tcp4_ports || facts->udp4_ports || facts->tcp6_ports || facts->udp6_ports);
}

TEST(RssFacts, KnowsNothingOfOtherHashes)
{
    Card card;
    card.function = 2;  // XOR
    EXPECT_FALSE(rss_facts(EthtoolCall{card}));
    card.function = 1;
    card.folding = 1;  // symmetric
    EXPECT_FALSE(rss_facts(EthtoolCall{card}));
}

TEST(RssFacts, KnowsNothingWithoutTableOrKey)
{
    Card card;
    card.key.resize(39);  // too short for IPv6
    EXPECT_FALSE(rss_facts(EthtoolCall{card}));
    card = {};
    card.table.clear();
    EXPECT_FALSE(rss_facts(EthtoolCall{card}));
    card.key.clear();
    EXPECT_FALSE(rss_facts(EthtoolCall{card}));
    card = {};
    card.knows_rss = false;
    EXPECT_FALSE(rss_facts(EthtoolCall{card}));
}

TEST(RssFacts, RefusesSizesThatNoDeviceHas)
{
    const EthtoolCall huge = [](void* command) {
        ethtool_rxfh head{};
        head.indir_size = head.key_size = 0xffff'ffff;
        std::memcpy(command, &head, sizeof head);
        return true;
    };
    EXPECT_FALSE(rss_facts(huge));
}

TEST(RssFacts, AreNoneOfAnInterfaceThatDoesNotTell)
{
    Interface loopback;
    loopback.name = "lo";
    EXPECT_FALSE(rss_facts(loopback));
}

}  // namespace
}  // namespace dpdkperf::host
