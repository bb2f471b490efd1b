#pragma once

#include <cstdint>

#include <rte_ethdev.h>

namespace dpdkperf {

// What the drivers of DPDK 22.11 say of their devices, as far as a plan depends on it. Taken from
// the function named beside each; the queue numbers are those of a common device.

inline rte_eth_dev_info device(const char* driver, std::uint16_t queues)
{
    rte_eth_dev_info info{};
    info.driver_name = driver;
    info.min_mtu = RTE_ETHER_MIN_LEN - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;  // rte_ethdev.c's
    info.max_mtu = UINT16_MAX;
    info.max_rx_queues = info.max_tx_queues = queues;
    return info;
}

inline void limit_rings(
    rte_eth_dev_info& info, std::uint16_t least, std::uint16_t most, std::uint16_t align)
{
    info.rx_desc_lim.nb_min = info.tx_desc_lim.nb_min = least;
    info.rx_desc_lim.nb_max = info.tx_desc_lim.nb_max = most;
    info.rx_desc_lim.nb_align = info.tx_desc_lim.nb_align = align;
}

inline void prefer(rte_eth_dev_info& info, std::uint16_t ring, std::uint16_t burst)
{
    info.default_rxportconf.ring_size = info.default_txportconf.ring_size = ring;
    info.default_rxportconf.burst_size = info.default_txportconf.burst_size = burst;
}

inline constexpr std::uint64_t kAllRxChecksums =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
inline constexpr std::uint64_t kPortHashes =
    RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_TCP |
    RTE_ETH_RSS_NONFRAG_IPV6_UDP;

// ice_dev_info_get()
inline rte_eth_dev_info ice()
{
    auto info = device("net_ice", 64);
    info.max_rx_pktlen = 9728;
    info.max_mtu = 9728 - 26;
    info.min_mtu = RTE_ETHER_MIN_MTU;
    info.min_rx_bufsize = 1024;
    info.rx_offload_capa =
        RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_RSS_HASH | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE |
                           RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO;
    info.flow_type_rss_offloads = kPortHashes | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
    info.reta_size = 2048;
    info.hash_key_size = 52;
    limit_rings(info, 64, 4096, 32);
    prefer(info, 1024, 32);
    return info;
}

// i40e_dev_info_get()
inline rte_eth_dev_info i40e()
{
    auto info = ice();
    info.driver_name = "net_i40e";
    info.flow_type_rss_offloads = kPortHashes;
    info.reta_size = 512;
    prefer(info, 256, 32);
    return info;
}

// iavf_dev_info_get()
inline rte_eth_dev_info iavf()
{
    auto info = ice();
    info.driver_name = "net_iavf";
    info.max_rx_queues = info.max_tx_queues = 256;
    prefer(info, 0, 0);
    return info;
}

// ixgbe_dev_info_get()
inline rte_eth_dev_info ixgbe()
{
    auto info = device("net_ixgbe", 64);
    info.max_rx_queues = 128;
    info.max_rx_pktlen = 15872;
    info.max_mtu = 15872 - 18;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    info.flow_type_rss_offloads = kPortHashes | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
    info.reta_size = 128;
    info.hash_key_size = 40;
    limit_rings(info, 64, 4096, 8);
    prefer(info, 256, 32);
    return info;
}

// ixgbevf_dev_info_get()
inline rte_eth_dev_info ixgbe_vf()
{
    auto info = ixgbe();
    info.driver_name = "net_ixgbe_vf";
    info.max_rx_queues = info.max_tx_queues = 4;
    info.max_rx_pktlen = 9728;
    info.max_mtu = 9728 - 18;
    prefer(info, 0, 0);
    return info;
}

// mlx5_dev_infos_get()
inline rte_eth_dev_info mlx5()
{
    auto info = device("mlx5_pci", 1024);
    info.max_mtu = 9978;
    info.max_rx_pktlen = 9978 + 22;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    info.flow_type_rss_offloads = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;
    info.reta_size = 512;
    info.hash_key_size = 40;
    info.rx_desc_lim.nb_max = info.tx_desc_lim.nb_max = 32768;
    prefer(info, 256, 64);
    return info;
}

// ena_infos_get()
inline rte_eth_dev_info ena()
{
    auto info = device("net_ena", 8);
    info.min_mtu = 128;
    info.max_mtu = 9216;
    info.max_rx_pktlen = 9216 + 18;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    info.flow_type_rss_offloads = kPortHashes;
    info.reta_size = 128;
    info.hash_key_size = 40;
    limit_rings(info, 128, 8192, 0);
    info.tx_desc_lim.nb_max = 512;  // a device may have fewer to send with
    prefer(info, 1024, 0);
    return info;
}

// eth_em_infos_get(), 82574
inline rte_eth_dev_info em()
{
    auto info = device("net_e1000_em", 2);
    info.max_rx_pktlen = 0x2412;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    limit_rings(info, 32, 4096, 8);
    prefer(info, 256, 0);
    return info;
}

// eth_igb_infos_get(), i350
inline rte_eth_dev_info igb()
{
    auto info = device("net_e1000_igb", 8);
    info.max_rx_pktlen = 0x3fff;
    info.max_mtu = 0x3fff - 22;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    info.flow_type_rss_offloads = kPortHashes | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
    info.reta_size = 128;
    info.hash_key_size = 40;
    limit_rings(info, 32, 4096, 8);
    return info;
}

// virtio_dev_info_get(), a split ring without RSS and mergeable buffers
inline rte_eth_dev_info virtio(const char* driver = "net_virtio")
{
    auto info = device(driver, 8);
    info.max_mtu = 9698;
    info.max_rx_pktlen = 9728;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    limit_rings(info, 32, 32768, 1);
    return info;
}

// vmxnet3_dev_info_get(), device version 3
inline rte_eth_dev_info vmxnet3()
{
    auto info = device("net_vmxnet3", 8);
    info.max_rx_queues = 16;
    info.max_mtu = 9000;
    info.max_rx_pktlen = 16384;
    info.min_rx_bufsize = 1518 + 128;
    info.rx_offload_capa =
        RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
    info.flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                                  RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
    info.reta_size = 128;
    limit_rings(info, 128, 4096, 1);
    info.tx_desc_lim.nb_min = 512;
    return info;
}

// memif_dev_info()
inline rte_eth_dev_info memif()
{
    auto info = device("net_memif", 256);
    info.max_rx_pktlen = 1518;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    return info;
}

// eth_dev_info() of vhost/rte_eth_vhost.c
inline rte_eth_dev_info vhost()
{
    auto info = device("net_vhost", 4);
    info.max_rx_pktlen = UINT32_MAX;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    return info;
}

// eth_dev_info() of af_xdp/rte_eth_af_xdp.c, 4 KB pages
inline rte_eth_dev_info af_xdp()
{
    auto info = device("net_af_xdp", 1);
    info.max_rx_pktlen = 4096 - 16 - 128 - 128 - 256;
    info.max_mtu = static_cast<std::uint16_t>(info.max_rx_pktlen - 18);
    prefer(info, 2048, 64);
    return info;
}

// tap_dev_info()
inline rte_eth_dev_info tap()
{
    auto info = device("net_tap", 16);
    info.max_rx_pktlen = 1522;
    info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_SCATTER | kAllRxChecksums;
    info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    info.flow_type_rss_offloads = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;
    return info;
}

// The ring, null and pcap drivers say the same of what matters here.
inline rte_eth_dev_info without_wire(const char* driver)
{
    auto info = device(driver, 16);
    info.max_rx_pktlen = UINT32_MAX;
    return info;
}

}  // namespace dpdkperf
