#pragma once

#include "dpdkperf/base/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct rte_eth_dev_info;

namespace dpdkperf::ports {

// What the data plane wants of a port.
struct PortRequest {
    std::uint16_t queue_pairs = 1;
    std::uint32_t mtu_bytes = 1500;  // largest IP packet
    bool transmits_only = false;     // no RX ring to be kept filled
    bool rx_checksum = true;         // let the device check, where it can
    // A TX queue may carry mbufs of other pools, of more than one owner or in chains, as with TCP.
    // Rules out fast free, and with some drivers the vector paths.
    bool mixed_tx = false;
    bool large_frames = false;  // the wire carries up to 64 KB at once, in both directions
    bool has_twin = false;      // a TAP lives on what we don't take: multicast has to come in
};

// What a received checksum flag of the device is worth. IP headers and lengths are always checked.
enum class RxTrust {
    kSumAll,         // nothing: sum every datagram
    kFlags,          // GOOD and NONE are believed, BAD is dropped, UNKNOWN is summed
    kFlagsOrMemory,  // likewise, but UNKNOWN is taken as good: the wire was a copy in memory
};

// Where a row's facts come from.
enum class Proof {
    kSourceOnly,  // the driver's source; no run of ours on the device is recorded
    kRun,         // a run that docs/devices.md records
};

// A rate of packets that the device is known not to exceed, whatever the CPU does.
struct PacketCap {
    std::uint64_t packets_per_second = 0;  // one direction of the whole device
    std::string_view source;               // who measured it
};

constexpr std::uint16_t kMostBurst = 128;

// An mbuf that fills a page: the pool's header (64 bytes), rte_mbuf (128) and the headroom (128)
// are in front of the data.
constexpr std::uint16_t kPagedMbufBytes = 4096;
constexpr std::uint16_t kPagedRoomBytes = kPagedMbufBytes - 64 - 128 - 128;

// All that is told to DPDK about a port. Computed before the port is touched.
struct PortPlan {
    std::uint16_t queue_pairs = 1;
    std::uint16_t most_queue_pairs = UINT16_MAX;  // that make sense, if below what is reported
    std::uint16_t rx_descriptors = 1024;          // per queue
    std::uint16_t tx_descriptors = 1024;
    std::uint16_t burst = 64;              // packets of one RX or TX call, at most kMostBurst
    std::uint32_t pool_mbufs = 8191;       // per queue pair
    std::uint32_t cache_mbufs = 512;       // per lcore
    std::uint32_t kept_mbufs = 0;          // of pool_mbufs, at most: not back after the close
    std::uint16_t data_room_bytes = 2048;  // of an mbuf, behind the headroom
    bool paged_mbufs = false;              // each fills a page: data_room_bytes is kPagedRoomBytes
    // That name payload of TCP instead of holding it, per buffer; 0: payload is copied, because TX
    // takes no chains of mbufs.
    std::uint32_t pinned_mbufs = 0;
    std::uint16_t chain_burst = 64;   // packets of one TX call that may carry chains
    bool tso = false;                 // TX takes TCP segments of many packets
    std::uint64_t tx_offloads = 0;    // RTE_ETH_TX_OFFLOAD_*
    std::uint64_t rx_offloads = 0;    // RTE_ETH_RX_OFFLOAD_*
    std::uint32_t mtu_bytes = 0;      // to be set; 0: as the driver has it
    std::uint64_t rss_functions = 0;  // RTE_ETH_RSS_*; 0: no RSS
    bool promiscuous = false;
    bool all_multicast = false;
    int numa_node = -1;

    // What the rest of the program has to know about the device.
    RxTrust rx_trust = RxTrust::kSumAll;
    bool link_speed_known = true;  // false: the driver makes it up
    std::optional<PacketCap> cap = std::nullopt;
    Proof proof = Proof::kSourceOnly;
    std::string driver;              // rte_eth_dev_info::driver_name
    std::vector<std::string> notes;  // why the plan is not the default, with sources
    std::string self_check;          // how it went (self_check.hpp); empty: not made
};

// A group of devices that want the same treatment. Deviations only; the default is plan_for().
struct PortFamily {
    std::string_view driver = {};  // rte_eth_dev_info::driver_name, exactly
    std::string_view why = {};     // one line per fact: the observation, and where it was made
    Proof proof = Proof::kSourceOnly;
    RxTrust rx_trust = RxTrust::kFlags;
    bool link_speed_known = true;
    std::uint16_t most_queue_pairs = UINT16_MAX;  // if fewer than the driver reports
    bool sets_mtu = true;  // false: the driver has its own way, and refuses ours
    // RX buffers are used in steps of this size; a room that is no multiple would be cut.
    std::uint16_t room_step_bytes = 64;
    std::uint16_t most_chains = UINT16_MAX;  // that one TX call may carry
    std::uint32_t kept_mbufs = 0;  // of a queue pair, that closing the device does not give back
    std::optional<PacketCap> cap = std::nullopt;
    // Everything else; called last. May be null.
    void (*adjust)(PortPlan&, const PortRequest&, const rte_eth_dev_info&) = nullptr;
};

// A pure function: no port is touched. Falls back to the defaults for an unknown driver. What the
// device cannot do is asked of it all the same, for check_plan() to say so.
PortPlan plan_for(const PortRequest& request, const rte_eth_dev_info& device,
    std::span<const PortFamily> families);

// Whether the device can carry out the plan. Pure. Errors: kDevice, with the number asked for and
// the device's limit: "64 queue pairs, the device has 16".
Status check_plan(const PortPlan& plan, const rte_eth_dev_info& device);

// The plan as --dry-run prints it: one fact per line, aligned, then the notes. Pure. `name` is
// the port's; ends with a line feed.
std::string describe(const PortPlan& plan, std::string_view name);

}  // namespace dpdkperf::ports
