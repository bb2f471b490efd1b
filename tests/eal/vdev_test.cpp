// Every virtual device that needs no peer and no root: planned, configured, started, stopped.

#include "dpdkperf/drivers/families.hpp"
#include "dpdkperf/drivers/mlx5_rules.hpp"
#include "dpdkperf/drivers/owned.hpp"
#include "dpdkperf/ports/memory_node.hpp"
#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/ports/rss_state.hpp"
#include "eal_environment.hpp"
#include "temporary_directory.hpp"

#include <string>

#include <gtest/gtest.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

namespace dpdkperf::ports {
namespace {

struct Device {
    std::string name;
    std::string arguments;
};

class Vdev : public testing::Test {
protected:
    // The port of a new device, started; or the reason why not.
    Status open(const Device& device, const PortRequest& request)
    {
        const std::uint16_t id = make_vdev(device.name.c_str(), device.arguments.c_str());
        if (id >= RTE_MAX_ETHPORTS) {
            return Error{Errc::kDevice, "no device " + device.name};
        }
        devices_.push_back(device.name);
        Status status;
        test_eal().run([&] { status = configure_and_start(id, request); });
        return status;
    }

    Status configure_and_start(std::uint16_t id, const PortRequest& request)
    {
        rte_eth_dev_info info{};
        if (rte_eth_dev_info_get(id, &info) != 0) {
            return Error{Errc::kDevice, "no facts"};
        }
        plan_ = plan_for(request, info, drivers::families());
        auto port = Port::configure(id, plan_);
        if (!port) {
            return std::move(port).error();
        }
        Status status = port->start();
        port_.emplace(*std::move(port));
        return status;
    }

    void TearDown() override
    {
        test_eal().run([&] {
            port_.reset();
            for (const std::string& name : devices_) {
                rte_eal_hotplug_remove("vdev", name.c_str());
            }
        });
    }

    [[nodiscard]] std::string file(const char* name) const
    {
        return (folder_.path() / name).string();
    }

    host::TemporaryDirectory folder_;
    std::vector<std::string> devices_;
    PortPlan plan_;
    std::optional<Port> port_;
};

TEST_F(Vdev, AreConfiguredAndStartedByTheirPlans)
{
    const std::string capture = file("out.pcap");
    const Device devices[] = {
        {"net_null_v", ""},
        {"net_ring_v", ""},
        {"net_memif_v", "role=server,id=7,socket-abstract=no,socket=" + file("memif.sock")},
        {"net_vhost_v", "queues=2,iface=" + file("vhost.sock")},
        {"net_pcap_v", "tx_pcap=" + capture},
    };
    for (const Device& device : devices) {
        SCOPED_TRACE(device.name);
        const auto status = open(device, {.queue_pairs = 1, .has_twin = true});
        ASSERT_TRUE(status) << status.error().message;
        EXPECT_EQ(plan_.proof, Proof::kRun);
        EXPECT_EQ(plan_.driver + "_v", device.name);
        EXPECT_EQ(port_->queue_pairs().size(), 1U);
        TearDown();
        devices_.clear();
    }
}

TEST_F(Vdev, WithSeveralQueuesAndLargeFramesStartToo)
{
    const Device devices[] = {
        {"net_null_w", ""},
        {"net_memif_w",
            "role=server,id=8,bsize=9600,socket-abstract=no,socket=" + file("memif.sock")},
        {"net_vhost_w", "queues=2,iface=" + file("vhost.sock")},
    };
    for (const Device& device : devices) {
        for (const bool mixed : {false, true}) {
            SCOPED_TRACE(device.name);
            const auto status =
                open(device, {.queue_pairs = 2, .mtu_bytes = 9000, .mixed_tx = mixed});
            ASSERT_TRUE(status) << status.error().message;
            EXPECT_EQ(port_->queue_pairs().size(), 2U);
            TearDown();
            devices_.clear();
        }
    }
}

TEST_F(Vdev, RefusesMoreQueuesThanThereAreWithPortNumberAndLimit)
{
    const auto status =
        open({"net_vhost_x", "queues=2,iface=" + file("vhost.sock")}, {.queue_pairs = 3});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::kDevice);
    EXPECT_EQ(status.error().message, "port net_vhost_x: 3 queue pairs, the device has 2");
}

TEST_F(Vdev, HaveTheirMemoryWhereTheyAre)
{
    const std::string arguments = "iface=" + file("near");
    const std::uint16_t id = make_vdev("net_vhost_near", arguments.c_str());
    devices_.emplace_back("net_vhost_near");
    test_eal().run([&] {
        const auto planned = drivers::OwnedPort::plan({});
        ASSERT_TRUE(planned) << planned.error().message;
        EXPECT_EQ(planned->plan.numa_node, rte_eth_dev_socket_id(id));
    });
    EXPECT_GE(rte_eth_dev_socket_id(id), 0);
    EXPECT_EQ(memory_node(7), SOCKET_ID_ANY);  // where there is none at all
    EXPECT_EQ(memory_node(SOCKET_ID_ANY), SOCKET_ID_ANY);
}

TEST_F(Vdev, TellWhichPacketBuffersAreLost)
{
    for (const std::size_t lost : {0U, 3U}) {
        ASSERT_TRUE(open({"net_null_l", ""}, {.queue_pairs = 1}));
        test_eal().run([&] {
            for (std::size_t i = 0; i < lost; ++i) {
                rte_pktmbuf_alloc(port_->queue_pairs().front().pool);
            }
        });
        testing::internal::CaptureStderr();
        TearDown();
        devices_.clear();
        const std::string told = testing::internal::GetCapturedStderr();
        constexpr const char* kThree = "port net_null_l: 3 packet buffers of pool-";
        EXPECT_EQ(told.find(kThree) != std::string::npos, lost == 3) << told;
        EXPECT_EQ(told.empty(), lost == 0) << told;
    }
}

// As net_af_xdp works out where its memory ends (rte_eth_af_xdp.c, xdp_umem_configure(), DPDK
// 22.11): from the page that the pool begins in, as many elements as there are, without gaps.
TEST_F(Vdev, WithPagedBuffersLeaveNoGapsInTheirPool)
{
    const std::uint16_t id = make_vdev("net_null_p", "");
    devices_.emplace_back("net_null_p");
    test_eal().run([&] {
        PortPlan plan;
        plan.pool_mbufs = 1023;
        plan.data_room_bytes = kPagedRoomBytes;
        plan.paged_mbufs = true;
        auto port = Port::configure(id, plan);
        ASSERT_TRUE(port) << port.error().message;
        port_.emplace(*std::move(port));
    });
    rte_mempool& pool = *port_->queue_pairs().front().pool;
    EXPECT_EQ(pool.populated_size, 1023U);
    EXPECT_EQ(pool.nb_mem_chunks, 1U);
    EXPECT_EQ(rte_pktmbuf_data_room_size(&pool), RTE_PKTMBUF_HEADROOM + kPagedRoomBytes);
    const auto begin = reinterpret_cast<std::uintptr_t>(STAILQ_FIRST(&pool.mem_list)->addr);
    struct Span {
        std::uintptr_t first_page, end;
        std::uint32_t inside = 0;
    } span{begin & ~std::uintptr_t{kPagedMbufBytes - 1}, 0};
    span.end = begin + std::uintptr_t{pool.populated_size} *
                           rte_mempool_calc_obj_size(pool.elt_size, pool.flags, nullptr);
    const auto look = [](rte_mempool* /*pool*/, void* found, void* object, unsigned /*index*/) {
        Span& all = *static_cast<Span*>(found);
        const auto* mbuf = static_cast<const rte_mbuf*>(object);
        const auto data = reinterpret_cast<std::uintptr_t>(mbuf->buf_addr);
        const auto last = data + mbuf->buf_len - 1;
        const bool one_page = (data ^ last) < kPagedMbufBytes;
        all.inside += data > all.first_page && last < all.end && one_page ? 1U : 0U;
    };
    rte_mempool_obj_iter(&pool, look, &span);
    EXPECT_EQ(span.inside, 1023U);
}

TEST_F(Vdev, TellTheirHashKeyAndTableOrNothing)
{
    ASSERT_TRUE(open({"net_null_y", ""}, {.queue_pairs = 2}));
    std::optional<RssState> state;
    test_eal().run([&] { state = rss_state(port_->id()); });
    ASSERT_TRUE(state);
    EXPECT_EQ(state->key.size(), 40U);
    EXPECT_EQ(state->queues.size(), 128U);
    EXPECT_EQ(state->functions, plan_.rss_functions);
    for (const bool ipv4 : {true, false}) {
        for (const IpProtocol protocol : {IpProtocol::kTcp, IpProtocol::kUdp}) {
            EXPECT_TRUE(state->hashes_ports(ipv4, protocol)) << ipv4;
        }
    }
    state->functions = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP;
    EXPECT_TRUE(state->hashes_ports(true, IpProtocol::kTcp));
    EXPECT_FALSE(state->hashes_ports(true, IpProtocol::kUdp));
    EXPECT_FALSE(state->hashes_ports(false, IpProtocol::kTcp));
}

TEST_F(Vdev, TellNothingWithOneQueueOrWithoutRss)
{
    std::optional<RssState> one_queue, ring;
    ASSERT_TRUE(open({"net_null_z", ""}, {.queue_pairs = 1}));
    test_eal().run([&] { one_queue = rss_state(port_->id()); });
    ASSERT_TRUE(open({"net_ring_z", ""}, {.queue_pairs = 1}));
    test_eal().run([&] { ring = rss_state(port_->id()); });
    EXPECT_FALSE(one_queue);
    EXPECT_FALSE(ring);
}

TEST_F(Vdev, ThatCannotSteerSaySo)
{
    const std::uint16_t id = make_vdev("net_null_f", "");
    devices_.emplace_back("net_null_f");
    test_eal().run([&] {
        const auto status = drivers::isolate(id);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().message,
            "port net_null_f: leave other packets to the kernel: Function not implemented");
        const auto rule = drivers::flow_rule(drivers::Transport::kUdp,
            {*IpAddress::parse("10.0.0.2"), 1}, {*IpAddress::parse("10.0.0.1"), 2}, 0);
        EXPECT_FALSE(drivers::install(id, rule));
    });
}

}  // namespace
}  // namespace dpdkperf::ports
