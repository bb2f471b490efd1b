#include "device_facts.hpp"
#include "dpdkperf/drivers/families.hpp"

#include <algorithm>
#include <bit>

#include <gtest/gtest.h>

namespace dpdkperf::ports {
namespace {

PortPlan plan(const PortRequest& request, const rte_eth_dev_info& info)
{
    return plan_for(request, info, drivers::families());
}

std::vector<rte_eth_dev_info> all_devices()
{
    return {mlx5(), ice(), i40e(), ixgbe(), ixgbe_vf(), iavf(), ena(), em(), igb(), virtio(),
        virtio("net_virtio_user"), vmxnet3(), memif(), vhost(), af_xdp(), without_wire("net_null"),
        without_wire("net_ring"), without_wire("net_pcap"), tap()};
}

TEST(PlanFor, CoversEveryRowOfTheTable)
{
    const auto devices = all_devices();
    EXPECT_EQ(devices.size(), drivers::families().size());
    for (const PortFamily& row : drivers::families()) {
        EXPECT_TRUE(std::ranges::any_of(devices, [&](const auto& d) {
            return row.driver == d.driver_name;
        })) << row.driver;
    }
}

TEST(PlanFor, FitsEveryDevice)
{
    for (const rte_eth_dev_info& info : all_devices()) {
        for (const bool mixed : {false, true}) {
            SCOPED_TRACE(info.driver_name);
            const auto p = plan({.queue_pairs = 1, .mixed_tx = mixed, .has_twin = true}, info);
            EXPECT_TRUE(check_plan(p, info));
            EXPECT_EQ(p.tx_offloads & ~info.tx_offload_capa, 0U);
            EXPECT_EQ(p.rx_offloads & ~info.rx_offload_capa, 0U);
            EXPECT_EQ(p.rss_functions, 0U) << "one queue";
            EXPECT_TRUE(p.all_multicast);
            EXPECT_EQ(p.driver, info.driver_name);
            EXPECT_GE(p.data_room_bytes, 2048U);
            EXPECT_GE(p.burst, 32U);
            EXPECT_LE(p.burst, 128U);
        }
    }
}

TEST(PlanFor, TakesRingsOf512To1024WithinTheDevicesLimitsAndSteps)
{
    struct Case {
        rte_eth_dev_info info;
        std::uint16_t rx, tx;
    };
    auto odd = device("net_odd", 1);
    odd.rx_desc_lim = {
        .nb_max = 1000, .nb_min = 0, .nb_align = 96, .nb_seg_max = 0, .nb_mtu_seg_max = 0};
    odd.tx_desc_lim = {
        .nb_max = 300, .nb_min = 64, .nb_align = 32, .nb_seg_max = 0, .nb_mtu_seg_max = 0};
    auto large = device("net_large", 1);
    limit_rings(large, 2000, 4096, 64);
    const Case cases[] = {
        {mlx5(), 512, 512},  // prefers 256
        {ice(), 1024, 1024},
        {i40e(), 512, 512},
        {ixgbe(), 512, 512},
        {iavf(), 1024, 1024},  // prefers nothing
        {ena(), 1024, 512},
        {em(), 512, 512},
        {igb(), 1024, 1024},
        {virtio(), 1024, 1024},
        {vmxnet3(), 1024, 1024},
        {memif(), 1024, 1024},
        {af_xdp(), 1024, 1024},  // prefers 2048
        {odd, 960, 288},
        {large, 2048, 2048},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.info.driver_name);
        const auto p = plan({}, c.info);
        EXPECT_EQ(p.rx_descriptors, c.rx);
        EXPECT_EQ(p.tx_descriptors, c.tx);
    }
}

TEST(PlanFor, FreesFastOnlyWhatTheDriverCanAndOnlyFromOnePool)
{
    for (const rte_eth_dev_info& info : all_devices()) {
        SCOPED_TRACE(info.driver_name);
        const std::string_view driver = info.driver_name;
        const bool can = driver == "mlx5_pci" || driver == "net_ice" || driver == "net_i40e" ||
                         driver == "net_iavf" || driver == "net_ena";
        const auto fast = std::uint64_t{RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE};
        EXPECT_EQ(plan({}, info).tx_offloads, can ? fast : 0);
        EXPECT_EQ(plan({.mixed_tx = true}, info).tx_offloads & fast, 0U);
    }
    // Where chains may be sent, and where the device takes them.
    EXPECT_EQ(plan({.mixed_tx = true}, ice()).tx_offloads, RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
    EXPECT_EQ(plan({.mixed_tx = true}, af_xdp()).tx_offloads, 0U);
}

TEST(PlanFor, LeavesPayloadInPlaceWhereTheDeviceTakesChains)
{
    EXPECT_EQ(plan({}, ice()).pinned_mbufs, 0U);
    EXPECT_EQ(plan({.mixed_tx = true}, af_xdp()).pinned_mbufs, 0U);
    const auto one = plan({.mixed_tx = true}, ice());
    const auto four = plan({.queue_pairs = 4, .mixed_tx = true}, ice());
    EXPECT_GE(one.pinned_mbufs, 0U + one.tx_descriptors + one.cache_mbufs);
    EXPECT_GE(four.pinned_mbufs, 4U * (0U + four.tx_descriptors + four.cache_mbufs));
    EXPECT_TRUE(std::has_single_bit(four.pinned_mbufs + 1));
    EXPECT_EQ(one.chain_burst, one.burst);
    EXPECT_EQ(plan({.mixed_tx = true}, memif()).chain_burst, 4U);
    EXPECT_EQ(plan({.mixed_tx = true}, memif()).burst, 64U);
}

TEST(PlanFor, LeavesCuttingToADeviceThatCan)
{
    constexpr std::uint64_t kTso = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
    auto info = ice();
    info.tx_offload_capa |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
    EXPECT_FALSE(plan({.mixed_tx = true}, info).tso) << "without checksums it is of no use";
    info.tx_offload_capa |= kTso;
    EXPECT_TRUE(plan({.mixed_tx = true}, info).tso);
    EXPECT_EQ(plan({.mixed_tx = true}, info).tx_offloads, kTso | RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
    EXPECT_FALSE(plan({}, info).tso) << "UDP alone";
}

TEST(PlanFor, TakesLargeFramesWhereTheWireIsMemory)
{
    auto guest = virtio("net_virtio_user");
    EXPECT_EQ(plan({.mixed_tx = true}, guest).data_room_bytes, 2048);
    guest.rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
    EXPECT_EQ(plan({}, guest).data_room_bytes, 2048) << "UDP alone";
    const auto p = plan({.mixed_tx = true}, guest);
    EXPECT_EQ(p.data_room_bytes, 9344);
    EXPECT_NE(p.rx_offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO, 0U);

    EXPECT_FALSE(plan({.mixed_tx = true}, vhost()).tso);
    const auto host = plan({.mixed_tx = true, .large_frames = true}, vhost());
    EXPECT_TRUE(host.tso);
    EXPECT_EQ(host.data_room_bytes, 9344);
}

TEST(PlanFor, HashesWhatTheDeviceCanWithMoreThanOneQueue)
{
    const std::uint64_t ip = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
    EXPECT_EQ(plan({.queue_pairs = 4}, ice()).rss_functions, kPortHashes | ip);
    EXPECT_EQ(plan({.queue_pairs = 4}, i40e()).rss_functions, kPortHashes);
    EXPECT_EQ(plan({.queue_pairs = 4}, vmxnet3()).rss_functions,
        ip | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP);
    EXPECT_EQ(plan({.queue_pairs = 4}, virtio()).rss_functions, 0U);
    EXPECT_EQ(plan({.queue_pairs = 1}, ice()).rss_functions, 0U);
}

TEST(PlanFor, MakesRoomForAWholeFrameInTheDevicesSteps)
{
    struct Case {
        rte_eth_dev_info info;
        std::uint32_t mtu;
        std::uint16_t room;
    };
    const Case cases[] = {
        {mlx5(), 1500, 2048}, {mlx5(), 9000, 9024},                   // 9000 + 22, in steps of 64
        {ice(), 9000, 9088},                                          // 9000 + 26, in steps of 128
        {ixgbe(), 9000, 9216},                                        // in steps of 1024
        {ixgbe(), 3060, 4096},                                        // 3060 + 18 is above 3072
        {igb(), 9000, 9216}, {em(), 1500, 2048}, {em(), 2031, 4096},  // 2031 + 18
        {em(), 4000, 4096}, {em(), 9000, 16384}, {memif(), 9000, 9024},
        {af_xdp(), 1500 + 256, kPagedRoomBytes},
        {af_xdp(), 3438 + 256, kPagedRoomBytes},  // with mbuf and headroom a page
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(testing::Message() << c.info.driver_name << " " << c.mtu);
        const auto p = plan({.mtu_bytes = c.mtu}, c.info);
        EXPECT_EQ(p.data_room_bytes, c.room);
        EXPECT_EQ(p.rx_offloads & RTE_ETH_RX_OFFLOAD_SCATTER, 0U);
    }
}

TEST(PlanFor, ScattersWhatNoBufferHolds)
{
    auto info = ice();
    info.max_mtu = 60000;
    info.max_rx_pktlen = 60026;
    const auto p = plan({.mtu_bytes = 30000}, info);
    EXPECT_EQ(p.data_room_bytes, 16384U);
    EXPECT_NE(p.rx_offloads & RTE_ETH_RX_OFFLOAD_SCATTER, 0U);
    EXPECT_TRUE(check_plan(p, info));
    info.rx_offload_capa = 0;
    const auto status = check_plan(plan({.mtu_bytes = 30000}, info), info);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message,
        "frames longer than a buffer of 16384 bytes, the device does not scatter");
}

TEST(PlanFor, SetsTheMtuWhereThatIsTheDriversWay)
{
    for (const rte_eth_dev_info& info : all_devices()) {
        SCOPED_TRACE(info.driver_name);
        const std::string_view driver = info.driver_name;
        const bool own_way = driver == "net_memif" || driver == "net_vhost" ||
                             driver == "net_ring" || driver == "net_af_xdp" || driver == "net_pcap";
        EXPECT_EQ(plan({.mtu_bytes = 1500}, info).mtu_bytes, 0U) << "the default anyway";
        EXPECT_EQ(plan({.mtu_bytes = 9000}, info).mtu_bytes, own_way ? 0U : 9000U);
    }
}

TEST(PlanFor, AsksForChecksumsWhereTheDeviceAddsThem)
{
    EXPECT_EQ(plan({}, ice()).rx_offloads, kAllRxChecksums);
    EXPECT_EQ(plan({}, ice()).rx_trust, RxTrust::kFlags);
    EXPECT_EQ(plan({.rx_checksum = false}, ice()).rx_offloads, 0U);
    EXPECT_EQ(plan({}, memif()).rx_offloads, 0U);
    EXPECT_EQ(plan({}, memif()).rx_trust, RxTrust::kFlagsOrMemory);
    // Without the offload vhost would sum in software, so it is asked for in any case.
    const std::uint64_t partial = RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    EXPECT_EQ(plan({.rx_checksum = false}, vhost()).rx_offloads, partial);
    EXPECT_EQ(plan({}, vhost()).rx_trust, RxTrust::kFlagsOrMemory);
    // With the offload tap would.
    EXPECT_EQ(plan({}, tap()).rx_offloads, 0U);
    EXPECT_EQ(plan({}, tap()).rx_trust, RxTrust::kSumAll);
}

TEST(PlanFor, BelievesNoInventedLinkSpeed)
{
    for (const rte_eth_dev_info& info : all_devices()) {
        const std::string_view driver = info.driver_name;
        const bool real = driver == "mlx5_pci" || driver == "net_ice" || driver == "net_i40e" ||
                          driver.starts_with("net_ixgbe") || driver == "net_iavf" ||
                          driver.starts_with("net_e1000");
        EXPECT_EQ(plan({}, info).link_speed_known, real) << driver;
    }
}

TEST(PlanFor, SizesPoolsByRingsAndCaches)
{
    EXPECT_EQ(plan({.queue_pairs = 1}, ice()).pool_mbufs, 4095U);
    EXPECT_EQ(plan({.queue_pairs = 4}, ice()).pool_mbufs, 8191U);
    EXPECT_EQ(plan({.queue_pairs = 4, .transmits_only = true}, ice()).pool_mbufs, 4095U);
    EXPECT_EQ(plan({}, af_xdp()).pool_mbufs, 8191U);
    // As many as 16 lcores' caches may keep, and the rings are still full.
    EXPECT_EQ(plan({.queue_pairs = 16}, ice()).pool_mbufs, 1024 + 1024 + 2 * 64 + 16 * 768U);
}

TEST(PlanFor, PlansAnUnknownDriverWithCaution)
{
    auto info = ice();
    info.driver_name = "net_future";
    const auto p = plan({.queue_pairs = 2, .mtu_bytes = 9000}, info);
    EXPECT_EQ(p.rx_trust, RxTrust::kSumAll);
    EXPECT_EQ(p.rx_offloads & kAllRxChecksums, 0U);  // what it says of sums is not believed
    EXPECT_EQ(p.proof, Proof::kSourceOnly);
    EXPECT_EQ(p.mtu_bytes, 9000U);
    EXPECT_EQ(p.notes, std::vector<std::string>{"no row for this driver: the defaults"});
    info.driver_name = nullptr;
    EXPECT_EQ(plan({}, info).driver, "");
}

TEST(CheckPlan, SaysWhatWasAskedForAndWhatTheDeviceHas)
{
    struct Case {
        PortRequest request;
        rte_eth_dev_info info;
        std::string message;
    };
    const Case cases[] = {
        {{.queue_pairs = 64}, virtio(), "64 queue pairs, the device has 8"},
        {{.queue_pairs = 17}, ixgbe(), "17 queue pairs, the device has 16"},  // reports 64
        {{.queue_pairs = 2}, em(), "2 queue pairs, the device has 1"},        // reports 2
        {{.queue_pairs = 1, .mtu_bytes = 9703}, ice(),
            "an MTU of 9703 bytes, the device takes 68 to 9702"},
        {{.queue_pairs = 1, .mtu_bytes = 100}, ena(),
            "an MTU of 100 bytes, the device takes 128 to 9216"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        const auto status = check_plan(plan(c.request, c.info), c.info);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, Errc::kDevice);
        EXPECT_EQ(status.error().message, c.message);
    }
}

TEST(Describe, PrintsOneFactALineThenTheReasons)
{
    const std::string text =
        describe(plan({.queue_pairs = 4, .mtu_bytes = 9000}, i40e()), "0000:5e:00.0");
    EXPECT_EQ(text,
        "port 0000:5e:00.0\n"
        "  driver             net_i40e\n"
        "  queue pairs        4\n"
        "  descriptors        512 receive, 512 transmit, per queue\n"
        "  burst              64 packets\n"
        "  buffers            8191 of 9088 bytes per queue pair, 512 cached\n"
        "  NUMA node          any\n"
        "  MTU                9000 bytes\n"
        "  RSS                IPv4 TCP, IPv4 UDP, IPv6 TCP, IPv6 UDP\n"
        "  receives           own address\n"
        "  transmit offloads  MBUF_FAST_FREE\n"
        "  receive offloads   IPV4_CKSUM, UDP_CKSUM, TCP_CKSUM\n"
        "  checksums in       the device's word, else summed\n"
        "  checksums out      always real, by software\n"
        "  payload of TCP     copied into one buffer per packet\n"
        "  segments of TCP    cut by software\n"
        "  link speed         as reported\n"
        "  device's limit     37000000 packets/s, frames below 160 bytes; Intel document 683749, "
        "limitations of the XL710\n"
        "  status             source only: no run on the device is recorded\n"
        "  note: i40e: fast free returns a batch to the pool of its first buffer "
        "(i40e/i40e_rxtx.c, i40e_tx_free_bufs())\n"
        "  note: i40e: RX buffers in steps of 128 bytes (i40e/base/i40e_lan_hmc.h, "
        "I40E_RXQ_CTX_DBUFF_SHIFT)\n");
}

TEST(Describe, SaysWhatIsOffAndWhatIsMadeUp)
{
    const std::string text =
        describe(plan({.queue_pairs = 2, .has_twin = true}, memif()), "net_memif0");
    for (const char* line : {
             "  RSS                off: the device has none\n",
             "  receives           own address and all multicast\n",
             "  MTU                left to the driver\n",
             "  transmit offloads  none\n",
             "  checksums in       the device's word, else a copy in memory: not summed\n",
             "  link speed         unknown: the driver makes it up\n",
         }) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
}

}  // namespace
}  // namespace dpdkperf::ports
