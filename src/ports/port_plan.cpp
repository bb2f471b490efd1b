#include "dpdkperf/ports/port_plan.hpp"

#include <algorithm>
#include <bit>

#include <rte_ethdev.h>

namespace dpdkperf::ports {

namespace {

// Rings hold what a burst or two need and stay in the L2 cache with their packets.
constexpr std::uint16_t kFewestDescriptors = 512;
constexpr std::uint16_t kMostDescriptors = 1024;
constexpr std::uint16_t kBurst = 64;
// Sizes of a mempool that waste no memory are one below a power of two (rte_mempool.h).
constexpr std::uint32_t kSmallPool = 4095;
constexpr std::uint32_t kLargePool = 8191;

// What flows of ours are told apart by, and other IP packets on top.
constexpr std::uint64_t kRssFunctions = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                                        RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
                                        RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

constexpr std::uint64_t kRxChecksums =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;

// The ring that the driver prefers, brought into our range and then into the device's.
std::uint16_t descriptors(std::uint16_t preferred, const rte_eth_desc_lim& limit)
{
    const std::uint32_t wanted = preferred == 0
                                     ? kMostDescriptors
                                     : std::clamp(preferred, kFewestDescriptors, kMostDescriptors);
    const std::uint32_t align = std::max<std::uint32_t>(limit.nb_align, 1);
    const std::uint32_t most = limit.nb_max == 0 ? UINT16_MAX : limit.nb_max;
    const std::uint32_t least = (std::max<std::uint32_t>(limit.nb_min, 1) + align - 1) / align;
    const std::uint32_t steps = std::min((wanted + align - 1) / align, most / align);
    return static_cast<std::uint16_t>(std::max(steps, least) * align);
}

// What a frame is longer than its IP packet, as rte_ethdev.c reckons (eth_dev_get_overhead_len(),
// DPDK 22.11), and never less than a header with a VLAN tag.
std::uint32_t overhead_bytes(const rte_eth_dev_info& device)
{
    constexpr std::uint32_t kLeast = RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
    constexpr std::uint32_t kMost = 64;  // a difference above is no overhead but two limits
    const bool told = device.max_mtu != UINT16_MAX && device.max_rx_pktlen > device.max_mtu &&
                      device.max_rx_pktlen - device.max_mtu <= kMost;
    return told ? std::max(kLeast, device.max_rx_pktlen - device.max_mtu) : kLeast;
}

std::uint16_t data_room(std::uint32_t frame_bytes, std::uint16_t step_bytes)
{
    constexpr std::uint32_t kLeast = 2048;
    constexpr std::uint32_t kMost = 16384;  // longer frames are scattered
    const std::uint32_t step = std::max<std::uint32_t>(step_bytes, 1);
    const std::uint32_t room = (std::max(kLeast, frame_bytes) + step - 1) / step * step;
    return static_cast<std::uint16_t>(std::min(room, kMost));
}

std::uint64_t tx_offloads(const PortRequest& request, const rte_eth_dev_info& device)
{
    // No checksum offload where there is no TSO: what we send carries a real sum already, and the
    // offload would cost the drivers' vector paths.
    if (!request.mixed_tx) {
        return RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE & device.tx_offload_capa;
    }
    constexpr std::uint64_t kTso =
        RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
    if ((device.tx_offload_capa & kTso) == kTso) {
        return kTso | (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM & device.tx_offload_capa);
    }
    return RTE_ETH_TX_OFFLOAD_MULTI_SEGS & device.tx_offload_capa;
}

const PortFamily* family_of(std::string_view driver, std::span<const PortFamily> families)
{
    const auto row = std::ranges::find(families, driver, &PortFamily::driver);
    return row == families.end() ? nullptr : &*row;
}

// Each line of a row's reasons is one note.
void add_notes(PortPlan& plan, std::string_view lines)
{
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        plan.notes.emplace_back(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

void size_buffers(PortPlan& plan, const PortRequest& request, const rte_eth_dev_info& device,
    std::uint16_t room_step_bytes)
{
    const std::uint32_t frame = request.mtu_bytes + overhead_bytes(device);
    plan.data_room_bytes = data_room(frame, room_step_bytes);
    if (frame > plan.data_room_bytes) {
        plan.rx_offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    }
    // Both rings full, a burst on each way, and what the cache of every lcore may keep: a packet
    // that changes hands is freed by another one. A cache keeps up to 1.5 times its size
    // (rte_mempool.c, CACHE_FLUSHTHRESH_MULTIPLIER, DPDK 22.11).
    const std::uint32_t need = 0U + plan.rx_descriptors + plan.tx_descriptors + 2U * plan.burst +
                               plan.cache_mbufs * 3 / 2 * plan.queue_pairs;
    plan.pool_mbufs =
        request.transmits_only || need <= kSmallPool ? kSmallPool : std::max(kLargePool, need);
}

// Most of a ring may be payload; the rest is for the caches.
std::uint32_t pinned_mbufs(const PortPlan& plan)
{
    const std::uint32_t need =
        (plan.tx_descriptors + plan.cache_mbufs * 3U / 2) * plan.queue_pairs + kMostBurst;
    return std::bit_ceil(need + 1) - 1;
}

}  // namespace

PortPlan plan_for(const PortRequest& request, const rte_eth_dev_info& device,
    std::span<const PortFamily> families)
{
    const std::string_view driver = device.driver_name == nullptr ? "" : device.driver_name;
    const PortFamily* const row = family_of(driver, families);
    static constexpr PortFamily kUnknown{};
    const PortFamily& family = row == nullptr ? kUnknown : *row;

    PortPlan plan;
    plan.driver = driver;
    plan.queue_pairs = request.queue_pairs;
    plan.most_queue_pairs = family.most_queue_pairs;
    plan.rx_descriptors = descriptors(device.default_rxportconf.ring_size, device.rx_desc_lim);
    plan.tx_descriptors = descriptors(device.default_txportconf.ring_size, device.tx_desc_lim);
    plan.burst = std::clamp(device.default_txportconf.burst_size, kBurst, kMostBurst);
    plan.chain_burst = std::min(plan.burst, family.most_chains);
    plan.tx_offloads = tx_offloads(request, device);
    plan.rx_trust = row == nullptr ? RxTrust::kSumAll : family.rx_trust;
    // What is not asked for, drivers leave unknown (RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN), and it is
    // summed.
    const bool asks = request.rx_checksum && plan.rx_trust != RxTrust::kSumAll;
    plan.rx_offloads = asks ? kRxChecksums & device.rx_offload_capa : 0;
    size_buffers(plan, request, device, family.room_step_bytes);
    if ((plan.tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0) {
        plan.pinned_mbufs = pinned_mbufs(plan);
        plan.tso = (plan.tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0;
    }
    // rte_eth_dev_configure() takes 1500 without being told.
    plan.mtu_bytes = family.sets_mtu && request.mtu_bytes != RTE_ETHER_MTU ? request.mtu_bytes : 0;
    plan.rss_functions =
        request.queue_pairs > 1 ? kRssFunctions & device.flow_type_rss_offloads : 0;
    plan.all_multicast = request.has_twin;
    plan.link_speed_known = family.link_speed_known;
    plan.kept_mbufs = family.kept_mbufs;
    plan.cap = family.cap;
    plan.proof = family.proof;
    add_notes(plan, row == nullptr ? "no row for this driver: the defaults" : family.why);
    if (family.adjust != nullptr) {
        family.adjust(plan, request, device);
    }
    return plan;
}

Status check_plan(const PortPlan& plan, const rte_eth_dev_info& device)
{
    const auto refuse = [](std::string message) {
        return Error{Errc::kDevice, std::move(message)};
    };
    const std::uint32_t pairs =
        std::min({device.max_rx_queues, device.max_tx_queues, plan.most_queue_pairs});
    if (plan.queue_pairs > pairs) {
        return refuse(std::to_string(plan.queue_pairs) + " queue pairs, the device has " +
                      std::to_string(pairs));
    }
    const std::uint32_t mtu = plan.mtu_bytes;
    if (mtu != 0 && (mtu > device.max_mtu || mtu < device.min_mtu)) {
        return refuse("an MTU of " + std::to_string(mtu) + " bytes, the device takes " +
                      std::to_string(device.min_mtu) + " to " + std::to_string(device.max_mtu));
    }
    if ((plan.rx_offloads & ~device.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0) {
        return refuse("frames longer than a buffer of " + std::to_string(plan.data_room_bytes) +
                      " bytes, the device does not scatter");
    }
    return {};
}

}  // namespace dpdkperf::ports
