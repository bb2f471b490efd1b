// The sender against a port that takes little: a TX ring that the test empties as it likes.

#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "eal_environment.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
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
        std::vector<traffic::StreamSpec> streams;
        for (const std::uint64_t most : max_datagrams) {
            traffic::StreamSpec stream;
            stream.datagram = {100};
            stream.max_datagrams = most;
            streams.push_back(stream);
        }
        send_streams(std::move(streams));
    }

    // From ports of its own choice.
    void send_streams(std::vector<traffic::StreamSpec> streams)
    {
        traffic::SessionSpec spec{.id = 1,
            .local = IpAddress::from_v4(0x0a000001),
            .remote = IpAddress::from_v4(0x0a000002),
            .next_hop = {},
            .server = false,
            .streams = std::move(streams)};
        std::uint16_t port = kFirstPort;
        for (traffic::StreamSpec& stream : spec.streams) {
            stream.local_port = port++;
            stream.remote_port = 5201;
        }
        streams_ = spec.streams;
        taken_.assign(streams_.size(), 0);
        ASSERT_TRUE(engine_->open(spec));
        engine_->start(1, {.start = std::chrono::steady_clock::now(), .edges = {}, .end = {}});
    }

    void take_all() { take(~0U); }

    // Every datagram must be valid and the next of its stream in sequence. `look` sees its frame.
    void take(
        unsigned most, const std::function<void(const std::byte*)>& look = [](const std::byte*) {})
    {
        void* taken = nullptr;
        for (; most > 0 && rte_ring_dequeue(tx_, &taken) == 0; --most) {
            auto* mbuf = static_cast<rte_mbuf*>(taken);
            const auto view = wire::parse_udp(
                {rte_pktmbuf_mtod(mbuf, const std::byte*), rte_pktmbuf_data_len(mbuf)});
            wire::Stamp stamp;
            ASSERT_EQ(view.fault, wire::UdpFault::kNone);
            ASSERT_TRUE(wire::udp_checksum_ok(view));
            const std::size_t index = view.source.port - kFirstPort;
            const traffic::StreamSpec& stream = streams_.at(index);
            ASSERT_EQ(view.payload().size(), stream.datagram.value);
            ASSERT_TRUE(wire::read_stamp(view.payload(), stream.counters_64bit, stamp));
            ASSERT_EQ(stamp.sequence, ++taken_.at(index));
            look(rte_pktmbuf_mtod(mbuf, const std::byte*));
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
    std::vector<traffic::StreamSpec> streams_;
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

// Buffers that come back as they were sent: what is left in them of another stream would be a wrong
// length or checksum.
TEST_F(Congestion, LeavesNothingOfOneStreamInAnothersDatagrams)
{
    set_up(1023, 128);
    std::vector<traffic::StreamSpec> streams;
    for (const unsigned bytes : {16U, 1472U, 17U, 400U, 1000U, 64U, 1471U}) {
        for (const auto filler : {traffic::Filler::kRandom, traffic::Filler::kDigits}) {
            for (const bool wide : {true, false}) {
                traffic::StreamSpec stream;
                stream.datagram = {bytes};
                stream.filler = filler;
                stream.counters_64bit = wide;
                stream.max_datagrams = 3000;
                streams.push_back(stream);
            }
        }
    }
    send_streams(std::move(streams));
    ASSERT_TRUE(eventually([&] {
        take_all();
        return !engine_->status(1).sending;
    }));
    take_all();
    EXPECT_EQ(taken_, std::vector<std::uint64_t>(28, 3000));
}

// Buffers are written once and used many times: none goes to where it once went.
TEST_F(Congestion, SendsNothingToTheOldNextHopAfterTheNew)
{
    set_up(1023, 128);
    send({0, 0});
    ASSERT_TRUE(eventually([&] {
        take_all();
        return taken_[0] > 10'000;
    }));
    const Mac moved{{2, 0, 0, 0, 0, 9}};
    engine_->set_next_hop(1, moved);
    std::uint64_t fresh = 0, stale = 0;
    const auto look = [&](const std::byte* frame) {
        const bool is_fresh = std::memcmp(frame, moved.bytes.data(), moved.bytes.size()) == 0;
        fresh += is_fresh ? 1 : 0;
        stale += !is_fresh && fresh > 0 ? 1 : 0;
    };
    EXPECT_TRUE(eventually([&] {
        take(~0U, look);
        return fresh > 20'000;
    }));
    EXPECT_EQ(stale, 0U);
    engine_->stop(1);
    EXPECT_TRUE(eventually([&] {
        take_all();
        return !engine_->status(1).sending;
    }));
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
