// The sender against a port that takes little: a TX ring that the test empties as it likes.

#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "eal_environment.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace dpdkperf::engine {
namespace {

using namespace std::chrono_literals;

class Congestion : public testing::Test {
protected:
    void set_up(std::uint32_t pool_mbufs, unsigned ring_size, std::uint16_t burst = 64)
    {
        test_eal().run([&] {
            const std::string name = "congestion" + std::to_string(next_++);
            rx_ = rte_ring_create((name + "rx").c_str(), 64, SOCKET_ID_ANY, 0);
            tx_ = rte_ring_create((name + "tx").c_str(), ring_size, SOCKET_ID_ANY, 0);
            const int id = rte_eth_from_rings(name.c_str(), &rx_, 1, &tx_, 1, 0);
            ASSERT_GE(id, 0);
            ports::PortPlan plan;
            plan.pool_mbufs = pool_mbufs;
            plan.cache_mbufs = 64;
            plan.burst = burst;
            auto port = ports::Port::configure(static_cast<std::uint16_t>(id), plan);
            ASSERT_TRUE(port) << port.error().message;
            ASSERT_TRUE(port->start());
            port_.emplace(*std::move(port));
        });
        available_ = rte_mempool_avail_count(port_->queue_pairs().front().pool);
        auto engine = create_engine({.eal = &test_eal(),
            .pollers = {{test_eal().poller_lcores().front(), port_->queue_pairs()}},
            .mac = {{2, 0, 0, 0, 0, 1}}});
        ASSERT_TRUE(engine);
        engine_ = *std::move(engine);
    }

    void TearDown() override
    {
        engine_.reset();
        take_all();
        EXPECT_EQ(rte_mempool_avail_count(port_->queue_pairs().front().pool), available_);
        test_eal().run([&] {
            port_.reset();
            rte_ring_free(rx_);
            rte_ring_free(tx_);
        });
    }

    // A stream for each number of datagrams; 0: for ever.
    void send(const std::vector<std::uint64_t>& max_datagrams)
    {
        traffic::SessionSpec spec{.id = 1,
            .local = IpAddress::from_v4(0x0a000001),
            .remote = IpAddress::from_v4(0x0a000002),
            .next_hop = {},
            .server = false,
            .streams = {}};
        for (const std::uint64_t most : max_datagrams) {
            traffic::StreamSpec stream;
            stream.local_port = static_cast<std::uint16_t>(kFirstPort + spec.streams.size());
            stream.remote_port = 5201;
            stream.datagram = {100};
            stream.max_datagrams = most;
            spec.streams.push_back(stream);
        }
        taken_.assign(max_datagrams.size(), 0);
        ASSERT_TRUE(engine_->open(spec));
        engine_->start(1, {.start = std::chrono::steady_clock::now(), .edges = {}, .end = {}});
    }

    void take_all() { take(~0U); }

    // Every datagram must be valid and the next of its stream in sequence.
    void take(unsigned most)
    {
        void* taken = nullptr;
        for (; most > 0 && rte_ring_dequeue(tx_, &taken) == 0; --most) {
            auto* mbuf = static_cast<rte_mbuf*>(taken);
            const auto view = wire::parse_udp(
                {rte_pktmbuf_mtod(mbuf, const std::byte*), rte_pktmbuf_data_len(mbuf)});
            wire::Stamp stamp;
            ASSERT_EQ(view.fault, wire::UdpFault::kNone);
            ASSERT_TRUE(wire::udp_checksum_ok(view));
            ASSERT_TRUE(wire::read_stamp(view.payload(), false, stamp));
            ASSERT_EQ(stamp.sequence, ++taken_.at(view.source.port - kFirstPort));
            rte_pktmbuf_free(mbuf);
        }
    }

    [[nodiscard]] bool eventually(const std::function<bool()>& condition)
    {
        for (const auto end = std::chrono::steady_clock::now() + 10s;
             std::chrono::steady_clock::now() < end; std::this_thread::yield()) {
            if (condition()) {
                return true;
            }
        }
        return false;
    }

    static constexpr std::uint16_t kFirstPort = 40000;
    static inline int next_ = 0;
    rte_ring* rx_ = nullptr;
    rte_ring* tx_ = nullptr;
    std::optional<ports::Port> port_;
    std::unique_ptr<traffic::Traffic> engine_;
    unsigned available_ = 0;
    // Datagrams of each stream that the test has taken, and so the last sequence number.
    std::vector<std::uint64_t> taken_;
};

TEST_F(Congestion, KeepsOrderAndCountsOnlyWhatTheRingTook)
{
    set_up(4095, 128);
    send({20'000});
    ASSERT_TRUE(eventually([&] { return rte_ring_full(tx_) == 1; }));
    EXPECT_EQ(engine_->status(1).datagrams_sent, rte_ring_count(tx_));
    ASSERT_TRUE(eventually([&] {
        take_all();
        return !engine_->status(1).sending;
    }));
    take_all();
    const auto final = engine_->snapshot(1, 0, stats::kFinalEdge);
    ASSERT_TRUE(final);
    EXPECT_EQ(final->packets, 20'000U);
    EXPECT_EQ(taken_[0], 20'000U);
    EXPECT_GT(final->ring_full, 0U);
}

class Burst : public Congestion, public testing::WithParamInterface<std::uint16_t> {};

TEST_P(Burst, IsAsLargeAsThePlanSays)
{
    set_up(4095, 2048, GetParam());
    std::atomic<std::uint16_t> largest{0};
    const auto look = [](std::uint16_t, std::uint16_t, rte_mbuf**, std::uint16_t offered,
                          void* known) {
        auto& most = *static_cast<std::atomic<std::uint16_t>*>(known);
        most = std::max(most.load(), offered);
        return offered;
    };
    const auto* const callback = rte_eth_add_tx_callback(port_->id(), 0, look, &largest);
    ASSERT_NE(callback, nullptr);
    send({1000});
    EXPECT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
    engine_.reset();
    EXPECT_EQ(rte_eth_remove_tx_callback(port_->id(), 0, callback), 0);  // outlives the port
    EXPECT_EQ(largest, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Bursts, Burst, testing::Values(16, 64, ports::kMostBurst));

TEST_F(Congestion, EndsAlthoughTheRingNeverEmpties)
{
    set_up(4095, 128);
    send({0});
    ASSERT_TRUE(eventually([&] { return rte_ring_full(tx_) == 1; }));
    engine_->stop(1);
    ASSERT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
    const auto final = engine_->snapshot(1, 0, stats::kFinalEdge);
    ASSERT_TRUE(final);
    EXPECT_EQ(final->packets, rte_ring_count(tx_));  // the rest of the burst was never sent
}

TEST_F(Congestion, AStreamEndsAtItsLimitAlthoughOthersFillTheRing)
{
    set_up(4095, 128);
    send({1'000, 0, 3'000});
    const auto packets = [this](std::uint32_t index) {
        const auto final = engine_->snapshot(1, index, stats::kFinalEdge);
        return final ? final->packets : 0;
    };
    ASSERT_TRUE(eventually([&] {
        if (rte_ring_full(tx_) == 1) {
            take(10);  // less than what waits
        }
        return packets(0) > 0 && packets(2) > 0;
    }));
    EXPECT_TRUE(engine_->status(1).sending);
    EXPECT_EQ(packets(0), 1'000U);
    EXPECT_EQ(packets(2), 3'000U);
    engine_->stop(1);
    ASSERT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
    take_all();
    EXPECT_EQ(taken_[0], 1'000U);
    EXPECT_EQ(taken_[1], packets(1));
    EXPECT_EQ(taken_[2], 3'000U);
}

TEST_F(Congestion, WaitsForMbufsWhenThePoolIsEmptyAndGoesOn)
{
    set_up(255, 1024);  // the ring could hold four times the pool
    send({5'000});
    ASSERT_TRUE(eventually([&] { return engine_->trouble(1).pool_empty > 0; }));
    ASSERT_TRUE(eventually([&] {
        take_all();
        return !engine_->status(1).sending;
    }));
    take_all();
    EXPECT_EQ(taken_[0], 5'000U);
}

}  // namespace
}  // namespace dpdkperf::engine
