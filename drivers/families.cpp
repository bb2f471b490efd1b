#include "dpdkperf/drivers/families.hpp"

#include <algorithm>

#include <rte_ethdev.h>

namespace dpdkperf::drivers {

namespace {

using ports::PortFamily;
using ports::PortPlan;
using ports::PortRequest;
using ports::Proof;
using ports::RxTrust;

// The device has buffers of 2, 4, 8 and 16 KB, and a room between two of them is cut to the lower.
void adjust_em(PortPlan& plan, const PortRequest& /*request*/, const rte_eth_dev_info& /*device*/)
{
    std::uint16_t room = 2048;
    while (room < plan.data_room_bytes && room < 16384) {
        room = static_cast<std::uint16_t>(room * 2);
    }
    plan.data_room_bytes = room;
}

// Sums in software, like ourselves, and later than we would have found a wrong length.
void adjust_tap(PortPlan& plan, const PortRequest& /*request*/, const rte_eth_dev_info& /*device*/)
{
    plan.rx_offloads &= ~std::uint64_t{RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
                                       RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM};
}

// Room for our rings besides the UMEM's.
void adjust_af_xdp(
    PortPlan& plan, const PortRequest& /*request*/, const rte_eth_dev_info& /*device*/)
{
    plan.pool_mbufs = 8191;
    plan.paged_mbufs = true;
    plan.data_room_bytes = ports::kPagedRoomBytes;
}

// Room for what one buffer of a guest holds of a packet of 64 KB: fewer pieces, less work.
void expect_large_frames(PortPlan& plan)
{
    constexpr std::uint16_t kRoom = 9344;
    plan.data_room_bytes = std::max(plan.data_room_bytes, kRoom);
}

// Without checksum offload in RX the driver sums every packet that carries a partial sum, whatever
// we think of its flags. TSO is the socket's, not the port's: nothing is advertised.
void adjust_vhost(PortPlan& plan, const PortRequest& request, const rte_eth_dev_info& device)
{
    plan.rx_offloads |=
        device.rx_offload_capa & (RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
    if (request.large_frames) {
        expect_large_frames(plan);
        plan.tso = plan.pinned_mbufs > 0;
    }
}

// Large segments from the host come only to who asks for them.
void adjust_virtio(PortPlan& plan, const PortRequest& request, const rte_eth_dev_info& device)
{
    constexpr std::uint64_t kLro = RTE_ETH_RX_OFFLOAD_TCP_LRO;
    if (request.mixed_tx && (device.rx_offload_capa & kLro) != 0) {
        plan.rx_offloads |= kLro;
        expect_large_frames(plan);
    }
}

constexpr ports::PacketCap kXl710Cap{.packets_per_second = 37'000'000,
    .source = "frames below 160 bytes; Intel document 683749, limitations of the XL710"};

// Sorted by kind. Each line of `why` is a fact of DPDK 22.11 and its place in drivers/net, or says
// where else it is from. `proof` follows docs/devices.md.
constexpr PortFamily kFamilies[] = {
    // The kernel's and ours together.
    {.driver = "mlx5_pci",
        .why = "mlx5: RX buffers are sized by the MTU that DPDK is told, not by the kernel "
               "interface's (mlx5_rxq.c, mlx5_rxq_new())\n"
               "mlx5: no fast free where mprq_en=1 is given (mlx5_txq.c, "
               "mlx5_get_tx_port_offloads())\n"
               "mlx5: packs and inlines small packets; txq_inline_mpw, txqs_min_inline and "
               "txq_mpw_en change the rate (doc/guides/nics/mlx5.rst)"},
    {.driver = "net_af_xdp",
        .why = "af_xdp: the UMEM's fill and completion rings keep 4096 and 2048 buffers "
               "(af_xdp/rte_eth_af_xdp.c, xdp_umem_configure())\n"
               "af_xdp: the UMEM ends as if the pool had no gaps, and what lies behind its end is "
               "lost: so a buffer fills a page (af_xdp/rte_eth_af_xdp.c, xdp_umem_configure())\n"
               "af_xdp: setting the MTU would change the kernel's (af_xdp/rte_eth_af_xdp.c, "
               "eth_dev_mtu_set())\n"
               "af_xdp: always reports 10 Gb/s (af_xdp/rte_eth_af_xdp.c, pmd_link)",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kSumAll,
        .link_speed_known = false,
        .sets_mtu = false,
        .kept_mbufs = 4096 + 2048,
        .adjust = adjust_af_xdp},

    // Real devices that belong to DPDK.
    {.driver = "net_ice",
        .why = "ice: fast free returns a batch to the pool of its first buffer (ice/ice_rxtx.c, "
               "ice_tx_free_bufs())\n"
               "ice: RX buffers in steps of 128 bytes (ice/base/ice_lan_tx_rx.h, "
               "ICE_RLAN_CTX_DBUF_S)\n"
               "ice: without its DDP package no RSS and no checksums (ice/ice_ethdev.c, "
               "ice_dev_info_get(), safe mode)\n"
               "ice: an E810 stays below 100 Gb/s with 64-byte frames (TRex issue 747: 52 Gb/s)",
        .room_step_bytes = 128},
    {.driver = "net_i40e",
        .why = "i40e: fast free returns a batch to the pool of its first buffer "
               "(i40e/i40e_rxtx.c, i40e_tx_free_bufs())\n"
               "i40e: RX buffers in steps of 128 bytes (i40e/base/i40e_lan_hmc.h, "
               "I40E_RXQ_CTX_DBUFF_SHIFT)",
        .room_step_bytes = 128,
        .cap = kXl710Cap},
    {.driver = "net_ixgbe",
        .why = "ixgbe: no fast free (ixgbe/ixgbe_rxtx.c, ixgbe_get_tx_port_offloads())\n"
               "ixgbe: RX buffers in steps of 1 KB (ixgbe/base/ixgbe_type.h, "
               "IXGBE_SRRCTL_BSIZEPKT_SHIFT)\n"
               "ixgbe: RSS reaches 16 queues (Linux, ixgbe.h, IXGBE_MAX_RSS_INDICES)",
        .most_queue_pairs = 16,
        .room_step_bytes = 1024},
    {.driver = "net_ixgbe_vf",
        .why = "ixgbe: no fast free (ixgbe/ixgbe_rxtx.c, ixgbe_get_tx_port_offloads())\n"
               "ixgbe: RX buffers in steps of 1 KB (ixgbe/base/ixgbe_type.h, "
               "IXGBE_SRRCTL_BSIZEPKT_SHIFT)",
        .room_step_bytes = 1024},
    {.driver = "net_iavf",
        .why = "iavf: fast free returns a batch to the pool of its first buffer "
               "(iavf/iavf_rxtx_vec_avx512.c, iavf_tx_free_bufs_avx512())\n"
               "iavf: RX buffers in steps of 128 bytes (iavf/iavf_rxtx.c, "
               "iavf_dev_rx_queue_setup())\n"
               "iavf: reports 256 queues; above 16 the PF decides (iavf/iavf_ethdev.c, "
               "iavf_dev_configure())",
        .room_step_bytes = 128},
    {.driver = "net_ena",
        .why = "ena: each instance type has a rate of packets of its own; the xstat "
               "pps_allowance_exceeded counts what it costs (ena/ena_ethdev.c)\n"
               "ena: link_speed is no property of the device: bandwidth is the instance's"
               " (doc/guides/nics/ena.rst, overview)",
        .link_speed_known = false},
    {.driver = "net_e1000_em",
        .why = "e1000 em: reports 2 queues, but has one RX queue and no RSS (e1000/em_ethdev.c, "
               "eth_em_infos_get())\n"
               "e1000 em: RX buffers of 2, 4, 8 or 16 KB (e1000/em_rxtx.c, em_rctl_bsize())\n"
               "e1000 em: never says that a checksum is good, only that one is bad "
               "(e1000/em_rxtx.c, rx_desc_error_to_pkt_flags())",
        .proof = Proof::kRun,
        .most_queue_pairs = 1,
        .adjust = adjust_em},
    {.driver = "net_e1000_igb",
        .why = "e1000 igb: RX buffers in steps of 1 KB (e1000/base/e1000_82575.h, "
               "E1000_SRRCTL_BSIZEPKT_SHIFT)",
        .room_step_bytes = 1024},

    // Devices of hypervisors.
    {.driver = "net_virtio",
        .why = "virtio: no fast free; writes its header in front of what it transmits "
               "(virtio/virtio_rxtx.c, virtio_xmit_pkts())\n"
               "virtio: RSS only where the host offers it (virtio/virtio_ethdev.c, "
               "virtio_dev_info_get())\n"
               "virtio: the speed is the host's word (virtio/virtio_ethdev.c, hw->speed)",
        .proof = Proof::kRun,
        .link_speed_known = false,
        .adjust = adjust_virtio},
    {.driver = "net_virtio_user",
        .why = "virtio: no fast free; writes its header in front of what it transmits "
               "(virtio/virtio_rxtx.c, virtio_xmit_pkts())\n"
               "virtio: the speed is an argument (virtio/virtio_user_ethdev.c)",
        .proof = Proof::kRun,
        .link_speed_known = false,
        .adjust = adjust_virtio},
    {.driver = "net_vmxnet3",
        .why = "vmxnet3: always reports 10 Gb/s (vmxnet3/vmxnet3_ethdev.c, "
               "vmxnet3_dev_link_update())\n"
               "vmxnet3: RSS with UDP ports from device version 4 (vmxnet3/vmxnet3_ethdev.c, "
               "vmxnet3_dev_info_get())\n"
               "vmxnet3: below device version 6 the queues must be a power of two "
               "(vmxnet3/vmxnet3_ethdev.c, vmxnet3_dev_configure())\n"
               "vmxnet3: RSS key cannot be read back (vmxnet3/vmxnet3_ethdev.c, eth_dev_ops)",
        .proof = Proof::kRun,
        .link_speed_known = false},

    // Wires in memory.
    {.driver = "net_memif",
        .why = "memif: reports frames of 1518 bytes whatever its buffers hold; larger MTUs need "
               "bsize=, not the MTU call (memif/rte_eth_memif.c, memif_dev_info())\n"
               "memif: always reports 100 Gb/s (memif/rte_eth_memif.c, pmd_link)\n"
               "memif: no checksum flags; the wire is a copy in memory\n"
               "memif: a zero-copy sender that is given more than 4 chains of buffers writes over "
               "what is still in a full ring (memif/rte_eth_memif.c, eth_memif_tx_zc())\n"
               "memif: a zero-copy client does not give back what it has put into its RX ring "
               "(memif/rte_eth_memif.c, memif_rx_queue_release())",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kFlagsOrMemory,
        .link_speed_known = false,
        .sets_mtu = false,
        .most_chains = 4,
        .kept_mbufs = 1 << 14},  // rsize=14
    {.driver = "net_vhost",
        .why =
            "vhost: sums in software unless RX checksum is asked for (vhost/rte_eth_vhost.c, "
            "vhost_dev_csum_configure())\n"
            "vhost: always reports 10 Gb/s and takes no MTU (vhost/rte_eth_vhost.c, pmd_link)\n"
            "vhost: with tso=1 it passes segments of up to 64 KB in both directions, and does not "
            "advertise it (vhost/rte_eth_vhost.c, eth_dev_info())",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kFlagsOrMemory,
        .link_speed_known = false,
        .sets_mtu = false,
        .adjust = adjust_vhost},
    {.driver = "net_ring",
        .why = "ring: received buffers carry the sender's flags (ring/rte_eth_ring.c)\n"
               "ring: always reports 10 Gb/s and takes no MTU (ring/rte_eth_ring.c, pmd_link)",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kSumAll,
        .link_speed_known = false,
        .sets_mtu = false},

    // No wire.
    {.driver = "net_null",
        .why = "null: always reports 10 Gb/s (null/rte_eth_null.c, pmd_link)",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kSumAll,
        .link_speed_known = false},
    {.driver = "net_pcap",
        .why = "pcap: always reports 10 Gb/s and takes no MTU (pcap/pcap_ethdev.c, pmd_link)",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kSumAll,
        .link_speed_known = false,
        .sets_mtu = false},
    {.driver = "net_tap",
        .why = "tap: RX checksum offload is a sum in software (tap/rte_eth_tap.c, "
               "tap_verify_csum())\n"
               "tap: reports 10 Gb/s unless told otherwise (tap/rte_eth_tap.c, speed=)",
        .rx_trust = RxTrust::kSumAll,
        .link_speed_known = false,
        .adjust = adjust_tap},
};

}  // namespace

std::span<const PortFamily> families()
{
    return kFamilies;
}

}  // namespace dpdkperf::drivers
