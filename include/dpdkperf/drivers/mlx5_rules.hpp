#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include <rte_flow.h>

namespace dpdkperf::drivers {

// Which packets an mlx5 port (the kernel's and ours together) gives to our queues, as rte_flow
// rules. In isolated mode nothing arrives without a rule, and what no rule takes stays the
// kernel's (DPDK 22.11, programmer's guide, "Flow isolated mode"; "Flow Bifurcation How-to
// Guide"). Rules are plain data here; no mlx5 has run them yet, see docs/bifurcated.md.

enum class Transport { kUdp, kTcp };

// The length that mlx5 wants of an RSS key (MLX5_RSS_HASH_KEY_LEN, DPDK 22.11).
inline constexpr std::size_t kMlx5RssKeySize = 40;
using Mlx5RssKey = std::array<std::uint8_t, kMlx5RssKeySize>;

// What of a header must be equal: `spec` where `mask` has ones.
template <class Item>
struct Match {
    Item spec{};
    Item mask{};
};

// Ingress packets that match, and where they go. A value without pointers into itself.
struct Mlx5Rule {
    rte_flow_attr attributes{};
    std::variant<Match<rte_flow_item_ipv4>, Match<rte_flow_item_ipv6>> network;
    std::variant<Match<rte_flow_item_udp>, Match<rte_flow_item_tcp>> transport;
    std::vector<std::uint16_t> queues;  // one: that queue; several: RSS over them
    std::uint64_t rss_types = 0;        // RTE_ETH_RSS_*, if several
    Mlx5RssKey rss_key{};               // if several
};

// One flow as it arrives, all four of its fields, to `queue`. Goes before peer_rule()s. Both ends
// are of one family.
Mlx5Rule flow_rule(
    Transport transport, const Endpoint& remote, const Endpoint& local, std::uint16_t queue);

// UDP from any port of `peer` to `server`, before the flows are known: spread over `queues` by
// addresses and ports. With a power of two of queues, hash modulo their number is the index into
// `queues` (mlx5_devx_ind_table_create_rqt_attr(), DPDK 22.11). `queues` is not empty.
Mlx5Rule peer_rule(const IpAddress& peer, const Endpoint& server,
    std::span<const std::uint16_t> queues, const Mlx5RssKey& key);

// A rule in the form of rte_flow_create(). Refers to the rule, which has to outlive it unchanged.
class Mlx5Flow {
public:
    explicit Mlx5Flow(const Mlx5Rule& rule);
    Mlx5Flow(const Mlx5Flow&) = delete;
    Mlx5Flow& operator=(const Mlx5Flow&) = delete;
    ~Mlx5Flow() = default;

    [[nodiscard]] const rte_flow_attr& attributes() const { return attributes_; }
    [[nodiscard]] const rte_flow_item* pattern() const { return pattern_.data(); }
    [[nodiscard]] const rte_flow_action* actions() const { return actions_.data(); }

private:
    rte_flow_attr attributes_;
    rte_flow_action_queue queue_{};
    rte_flow_action_rss rss_{};
    std::array<rte_flow_item, 4> pattern_{};    // Ethernet, network, transport, end
    std::array<rte_flow_action, 2> actions_{};  // queue or RSS, end
};

// Leaves everything that no rule takes to the kernel. Before the port is configured, at the latest
// before it is started (mlx5_flow_isolate(), DPDK 22.11). Set-up thread. Errors: kDevice, with the
// driver's reason.
Status isolate(std::uint16_t port_id);

// Puts a rule into force on a started port. The caller destroys it by rte_flow_destroy(), or with
// the port. Set-up thread. Errors: kDevice, with the driver's reason.
Result<rte_flow*> install(std::uint16_t port_id, const Mlx5Rule& rule);

}  // namespace dpdkperf::drivers
