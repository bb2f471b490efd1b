#include "dpdkperf/engine/engine.hpp"
#include "eal_environment.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

namespace dpdkperf::engine {
namespace {

using namespace std::chrono_literals;
using traffic::Direction;

// A port whose TX ring is its own RX ring, and an engine on it. Two sessions of this engine, one
// as client and one as server, talk to each other.
class Loop : public testing::Test {
protected:
    void SetUp() override
    {
        const std::string name = "net_ring" + std::to_string(next_port_++);
        const std::uint16_t id = make_vdev(name.c_str(), "");
        ASSERT_LT(id, RTE_MAX_ETHPORTS);
        test_eal().run([&] {
            ports::PortPlan plan;
            plan.pool_mbufs = 4095;
            auto port = ports::Port::configure(id, plan);
            ASSERT_TRUE(port) << port.error().message;
            ASSERT_TRUE(port->start());
            port_.emplace(*std::move(port));
        });
        available_ = rte_mempool_avail_count(pool());
        auto engine = create_engine({.eal = &test_eal(),
            .pollers = {{test_eal().poller_lcores().front(), port_->queue_pairs()}},
            .mac = {{2, 0, 0, 0, 0, 1}}});
        ASSERT_TRUE(engine) << engine.error().message;
        engine_ = *std::move(engine);
    }

    void TearDown() override
    {
        engine_.reset();
        drain();
        EXPECT_EQ(rte_mempool_avail_count(pool()), available_) << "mbufs were lost or doubled";
        test_eal().run([&] { port_.reset(); });
    }

    [[nodiscard]] rte_mempool* pool() const { return port_->queue_pairs().front().pool; }

    void drain() const
    {
        std::array<rte_mbuf*, 32> mbufs{};
        while (const auto n = rte_eth_rx_burst(port_->id(), 0, mbufs.data(), mbufs.size())) {
            rte_pktmbuf_free_bulk(mbufs.data(), n);
        }
    }

    // A client's session `id` and the server's session `id` + 1 with the same streams seen from
    // both sides.
    void open_pair(
        std::vector<traffic::StreamSpec> streams, bool ipv4 = true, traffic::SessionId id = 1)
    {
        const auto a = *IpAddress::parse(ipv4 ? "10.0.0.1" : "fd00::1");
        const auto b = *IpAddress::parse(ipv4 ? "10.0.0.2" : "fd00::2");
        traffic::SessionSpec client{
            .id = id, .local = a, .remote = b, .next_hop = kHop, .server = false, .streams = {}};
        traffic::SessionSpec server{
            .id = id + 1, .local = b, .remote = a, .next_hop = kHop, .server = true, .streams = {}};
        for (traffic::StreamSpec s : streams) {
            s.local_port = static_cast<std::uint16_t>(40000 + 500 * id + client.streams.size());
            s.remote_port = 5201;
            client.streams.push_back(s);
            s.direction = s.direction == Direction::kSend ? Direction::kReceive : Direction::kSend;
            s.local_port = 5201;
            s.remote_port = 0;
            s.max_datagrams = 0;
            server.streams.push_back(s);
        }
        ASSERT_TRUE(engine_->open(server));
        ASSERT_TRUE(engine_->open(client));
        for (std::uint32_t i = 0; i < streams.size(); ++i) {
            engine_->say_hello(id, i);
            ASSERT_TRUE(eventually([&] { return engine_->status(id).streams[i].open; })) << i;
        }
        EXPECT_EQ(engine_->status(id + 1).open_streams, streams.size());
    }

    void start_both(std::optional<nanoseconds> end, nanoseconds omit = 0s,
        nanoseconds interval = 0s, traffic::SessionId id = 1)
    {
        const traffic::Timetable timetable{
            .start = std::chrono::steady_clock::now(), .edges = {omit, interval}, .end = end};
        engine_->start(id + 1, {.start = timetable.start, .edges = timetable.edges, .end = {}});
        engine_->start(id, timetable);
    }

    void finish_both(traffic::SessionId id = 1)
    {
        engine_->finish(id);
        std::this_thread::sleep_for(1ms);  // as control does: what is on the wire arrives
        engine_->finish(id + 1);
        ASSERT_TRUE(eventually([&] { return engine_->status(id + 1).finished; }));
    }

    stats::Snapshot final_of(traffic::SessionId id, std::uint32_t stream) const
    {
        const auto s = engine_->snapshot(id, stream, stats::kFinalEdge);
        EXPECT_TRUE(s) << id << "/" << stream;
        return s.value_or(stats::Snapshot{});
    }

    // What the client's session `id` has sent on each of its streams, before or after the server
    // stopped counting.
    void expect_all_arrived(traffic::SessionId id, std::uint32_t streams) const
    {
        for (std::uint32_t i = 0; i < streams; ++i) {
            const auto sent = final_of(id, i).packets;
            const auto received = final_of(id + 1, i);
            EXPECT_EQ(received.lost, 0);
            EXPECT_TRUE(eventually([&] {
                return received.arrived + engine_->status(id + 1).streams[i].late == sent;
            })) << sent
                << " sent, " << received.arrived << " arrived";
        }
    }

    void expect_no_trouble() const
    {
        for (const traffic::SessionId id : {1U, 2U}) {
            const auto trouble = engine_->trouble(id);
            EXPECT_EQ(trouble.bad_checksum, 0U);
            EXPECT_EQ(trouble.bad_length, 0U);
            EXPECT_EQ(trouble.unexpected, 0U);
        }
    }

    static constexpr Mac kHop{{2, 0, 0, 0, 0, 2}};
    static inline int next_port_ = 0;
    std::optional<ports::Port> port_;
    std::unique_ptr<traffic::Traffic> engine_;
    unsigned available_ = 0;
};

traffic::StreamSpec stream(std::uint64_t datagram, std::uint64_t max = 0)
{
    traffic::StreamSpec spec;
    spec.datagram = {datagram};
    spec.max_datagrams = max;
    return spec;
}

TEST_F(Loop, CarriesEveryDatagramOfALimitedTestInBothFamiliesAndWidths)
{
    for (const bool ipv4 : {true, false}) {
        for (const bool wide : {true, false}) {
            SCOPED_TRACE(testing::Message() << "ipv4 " << ipv4 << " wide " << wide);
            auto spec = stream(16, 10'000);
            spec.counters_64bit = wide;
            open_pair({spec}, ipv4);
            start_both({});
            ASSERT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
            finish_both();
            EXPECT_EQ(final_of(1, 0).packets, 10'000U);
            EXPECT_EQ(final_of(1, 0).bytes.value, 160'000U);
            const auto received = final_of(2, 0);
            EXPECT_EQ(received.packets, 10'000U);
            EXPECT_EQ(received.arrived, 10'000U);
            EXPECT_EQ(received.bytes.value, 160'000U);
            EXPECT_EQ(received.lost, 0);
            EXPECT_EQ(received.out_of_order, 0);
            expect_no_trouble();
            engine_->close(1);
            engine_->close(2);
        }
    }
}

// Its filler is written to one buffer, however large the MTU is.
TEST_F(Loop, DatagramsFitABuffer)
{
    const auto engine = create_engine({.eal = &test_eal(),
        .pollers = {{test_eal().poller_lcores().back(), port_->queue_pairs()}},
        .mac = {{2, 0, 0, 0, 0, 1}},
        .mtu_bytes = 65'000});
    ASSERT_TRUE(engine) << engine.error().message;
    const std::uint64_t room = rte_pktmbuf_data_room_size(pool()) - RTE_PKTMBUF_HEADROOM;
    EXPECT_EQ((*engine)->max_datagram(true).value, room - 14 - 20 - 8);
    EXPECT_EQ((*engine)->max_datagram(false).value, room - 14 - 40 - 8);
    EXPECT_EQ(engine_->max_datagram(true).value, 1472U);
}

TEST_F(Loop, ReceivesStreamsOfAllLengths)
{
    std::vector<traffic::StreamSpec> streams;
    for (const unsigned bytes : {16U, 1472U, 17U, 400U, 1000U, 64U, 1471U}) {
        for (const auto filler : {traffic::Filler::kRandom, traffic::Filler::kDigits}) {
            for (const bool wide : {true, false}) {
                auto s = stream(bytes, 3000);
                s.filler = filler;
                s.counters_64bit = wide;
                streams.push_back(s);
            }
        }
    }
    open_pair(streams);
    start_both({});
    ASSERT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
    finish_both();
    for (std::uint32_t i = 0; i < streams.size(); ++i) {
        SCOPED_TRACE(i);
        EXPECT_EQ(final_of(2, i).arrived, 3000U);
        EXPECT_EQ(final_of(2, i).bytes.value, 3000 * streams[i].datagram.value);
        EXPECT_EQ(final_of(2, i).lost, 0);
    }
    expect_no_trouble();
}

TEST_F(Loop, RunsBothDirectionsOf128Streams)
{
    std::vector<traffic::StreamSpec> streams(traffic::kMaxStreams, stream(100));
    for (std::size_t i = 128; i < streams.size(); ++i) {
        streams[i].direction = Direction::kReceive;
    }
    open_pair(streams);
    start_both(200ms);
    ASSERT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
    engine_->stop(2);
    ASSERT_TRUE(eventually([&] { return !engine_->status(2).sending; }));
    finish_both();
    std::uint64_t least = ~std::uint64_t{0};
    for (std::uint32_t i = 0; i < streams.size(); ++i) {
        const bool forth = i < 128;
        const auto sent = final_of(forth ? 1 : 2, i), received = final_of(forth ? 2 : 1, i);
        EXPECT_EQ(received.lost, 0) << i;
        EXPECT_LE(received.arrived, sent.packets) << i;
        least = std::min(least, received.arrived);
    }
    EXPECT_GT(least, 0U) << "a stream got no turn";
    // The client stopped counting before the server stopped sending: nothing is lost for that.
    for (std::uint32_t i = 128; i < streams.size(); ++i) {
        const auto sent = final_of(2, i).packets, arrived = final_of(1, i).arrived;
        EXPECT_TRUE(eventually([&] {
            return arrived + engine_->status(1).streams[i].late == sent;
        })) << sent
            << " sent, " << arrived << " arrived";
    }
    expect_no_trouble();
}

TEST_F(Loop, PublishesEveryEdgeAndStopsByItselfAtTheEnd)
{
    auto spec = stream(500);
    spec.rate = BitRate::from_bps(40'000'000);  // 10,000 datagrams a second
    open_pair({spec});
    start_both(500ms, 100ms, 100ms);
    std::optional<stats::Snapshot> last;
    for (std::uint64_t edge = 1; edge <= 5; ++edge) {
        std::optional<stats::Snapshot> sent, received;
        ASSERT_TRUE(eventually([&] { return (sent = engine_->snapshot(1, 0, edge)).has_value(); }));
        ASSERT_TRUE(
            eventually([&] { return (received = engine_->snapshot(2, 0, edge)).has_value(); }));
        EXPECT_GE(sent->at, edge * 100ms);
        EXPECT_LT(sent->at, (edge + 2) * 100ms) << "a snapshot of long after";
        EXPECT_LE(received->arrived, sent->packets + 64);
        if (last) {
            EXPECT_GT(sent->packets, last->packets);
        }
        last = sent;
    }
    ASSERT_TRUE(eventually([&] { return !engine_->status(1).sending; }));
    finish_both();
    const auto final = final_of(1, 0);
    EXPECT_GE(final.at, 500ms);
    // The rate holds over the whole, however the machine was busy; stalls above 100 ms cost.
    EXPECT_LE(final.packets, 5001U);
    EXPECT_GT(final.packets, 2500U);
    EXPECT_EQ(final_of(2, 0).arrived, final.packets);
}

TEST_F(Loop, MeasuresJitterAndBeginsAnewWhenTheOmittedPartEnds)
{
    auto spec = stream(100);
    spec.rate = BitRate::from_bps(8'000'000);
    open_pair({spec});
    start_both(200ms, 500ms, 100ms);
    const auto jitter_at = [this](std::uint64_t edge) {
        std::optional<stats::Snapshot> s;
        EXPECT_TRUE(eventually([&] { return (s = engine_->snapshot(2, 0, edge)).has_value(); }));
        return s.value_or(stats::Snapshot{}).jitter_s;
    };
    EXPECT_GT(jitter_at(1), 0);
    EXPECT_GT(jitter_at(4), 0);  // nothing has come since 200 ms
    EXPECT_EQ(jitter_at(6), 0);
    finish_both();
}

// All of them between the same two addresses.
TEST_F(Loop, ATestTakesNothingFromTheOthersBesideIt)
{
    constexpr traffic::SessionId kLong = 1;
    open_pair({stream(1472), stream(64)});
    start_both({});
    for (traffic::SessionId other = 3; other < 43; other += 2) {
        open_pair({stream(100), stream(1000)}, true, other);
        start_both({}, 0s, 0s, other);
        ASSERT_TRUE(
            eventually([&] { return engine_->status(other + 1).datagrams_received > 1000; }));
        finish_both(other);
        expect_all_arrived(other, 2);
        engine_->close(other);
        engine_->close(other + 1);
    }
    engine_->stop(kLong);
    ASSERT_TRUE(eventually([&] { return !engine_->status(kLong).sending; }));
    finish_both(kLong);
    expect_all_arrived(kLong, 2);
    expect_no_trouble();
}

TEST_F(Loop, RefusesMoreTestsAndStreamsThanItHasRoomFor)
{
    const auto open = [this](traffic::SessionId id, std::size_t streams) {
        return engine_->open({.id = id,
            .local = *IpAddress::parse("10.0.0.1"),
            .remote = IpAddress::from_v4(id),
            .next_hop = kHop,
            .server = true,
            .streams = std::vector<traffic::StreamSpec>(streams, stream(100))});
    };
    traffic::SessionId id = 0;
    for (; id < 3; ++id) {
        ASSERT_TRUE(open(id, traffic::kMaxStreams));
    }
    ASSERT_TRUE(open(++id, traffic::kMaxStreams - 1));
    EXPECT_EQ(open(++id, 2).error().message,
        "2 streams more than the 1023 of other tests: there may be 1024");
    engine_->close(0);
    for (std::size_t more = 3; more < traffic::kMaxSessions; ++more) {
        ASSERT_TRUE(open(++id, 1));
    }
    EXPECT_EQ(open(++id, 1).error().message, "too many tests at the same time: 16 are running");
}

TEST_F(Loop, RefusesWhatDoesNotFitBeforeAnythingIsSent)
{
    const traffic::SessionSpec tall{.id = 1,
        .local = *IpAddress::parse("10.0.0.1"),
        .remote = *IpAddress::parse("10.0.0.2"),
        .next_hop = kHop,
        .server = false,
        .streams = {stream(1473)}};
    const auto status = engine_->open(tall);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message,
        "datagrams of 1473 bytes do not fit the interface's MTU of 1500 bytes: at most 1472");
    EXPECT_EQ(engine_->max_datagram(true).value, 1472U);
    EXPECT_EQ(engine_->max_datagram(false).value, 1452U);
}

TEST_F(Loop, AnswersHellosOfTheExpectedPeerOnly)
{
    const auto a = *IpAddress::parse("10.0.0.1"), b = *IpAddress::parse("10.0.0.2"),
               stranger = *IpAddress::parse("10.0.0.3");
    auto spec = stream(100);
    spec.local_port = 5201;
    spec.direction = Direction::kReceive;
    ASSERT_TRUE(engine_->open(
        {.id = 2, .local = b, .remote = a, .next_hop = kHop, .server = true, .streams = {spec}}));
    spec.local_port = 4000;
    spec.remote_port = 5201;
    spec.direction = Direction::kSend;
    ASSERT_TRUE(engine_->open({.id = 1,
        .local = stranger,
        .remote = b,
        .next_hop = kHop,
        .server = false,
        .streams = {spec}}));
    engine_->say_hello(1, 0);
    ASSERT_TRUE(eventually([&] { return engine_->trouble(2).unexpected == 1; }));
    EXPECT_FALSE(engine_->status(1).streams[0].open);
    EXPECT_EQ(engine_->status(2).open_streams, 0U);
}

}  // namespace
}  // namespace dpdkperf::engine
