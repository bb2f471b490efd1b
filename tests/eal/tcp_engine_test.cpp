// Two engines, whose ports are joined by rings, and TCP between them.

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/tcp/content.hpp"
#include "eal_environment.hpp"

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
#include <rte_ip.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <rte_tcp.h>

namespace dpdkperf::engine {
namespace {

using namespace std::chrono_literals;
using traffic::Direction;

constexpr IpAddress kClient = IpAddress::from_v4(0x0a000001),
                    kServer = IpAddress::from_v4(0x0a000002);
constexpr std::uint16_t kPort = 5201;
constexpr std::uint64_t kBlock = 128 * 1024;

// Which way data goes, stream by stream, as the client sees it.
using Directions = std::vector<Direction>;

traffic::TcpSpec tcp_spec(char mark = 'x')
{
    traffic::TcpSpec spec;
    spec.cookie.fill(static_cast<std::byte>(mark));
    spec.cookie.back() = std::byte{0};
    return spec;
}

Direction other(Direction direction)
{
    return direction == Direction::kSend ? Direction::kReceive : Direction::kSend;
}

// How payload leaves: in the mbuf of the headers, behind it in another one, or a whole segment of
// many packets at once, which net_ring passes on as it is.
enum class Payload : std::uint8_t { kCopied, kInPlace, kUncut };

class TcpEngine : public testing::TestWithParam<Payload> {
protected:
    static constexpr std::size_t kSides = 2;  // client, server

    void SetUp() override
    {
        test_eal().run([&] {
            for (std::size_t i = 0; i < kSides; ++i) {
                const std::string name = "tcp" + std::to_string(next_) + "ring" + std::to_string(i);
                rings_[i] = rte_ring_create(
                    name.c_str(), 256, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
                ASSERT_NE(rings_[i], nullptr);
            }
            for (std::size_t i = 0; i < kSides; ++i) {
                open_port(i);
            }
            ++next_;
        });
        available_ = free_mbufs();
        const auto lcores = test_eal().poller_lcores();
        for (std::size_t i = 0; i < kSides; ++i) {
            auto engine = create_engine({.eal = &test_eal(),
                .pollers = {{lcores[i], {ports_[i]->queue_pairs()[0]}}},
                .mac = ports_[i]->mac(),
                .rx_checksum =
                    GetParam() == Payload::kUncut ? RxChecksum::kTrust : RxChecksum::kVerify,
                .impairment = i == 0 ? impairment_ : impair::Plan{}});
            ASSERT_TRUE(engine) << engine.error().message;
            engines_[i] = *std::move(engine);
        }
    }

    void open_port(std::size_t i)
    {
        const std::string name = "tcp" + std::to_string(next_) + "port" + std::to_string(i);
        const int id = rte_eth_from_rings(name.c_str(), &rings_[i], 1, &rings_[1 - i], 1, 0);
        ASSERT_GE(id, 0);
        ports::PortPlan plan;
        plan.pool_mbufs = 2047;
        plan.cache_mbufs = 64;
        plan.pinned_mbufs = GetParam() == Payload::kCopied ? 0 : 511;
        plan.tso = GetParam() == Payload::kUncut;
        auto port = ports::Port::configure(static_cast<std::uint16_t>(id), plan);
        ASSERT_TRUE(port) << port.error().message;
        ASSERT_TRUE(port->start());
        ports_[i].emplace(*std::move(port));
    }

    void TearDown() override
    {
        engines_ = {};
        drain();
        EXPECT_EQ(free_mbufs(), available_) << "mbufs were lost or doubled";
        test_eal().run([&] {
            ports_ = {};
            for (rte_ring* ring : rings_) {
                rte_ring_free(ring);
            }
        });
    }

    [[nodiscard]] unsigned free_mbufs() const
    {
        unsigned sum = 0;
        for (const auto& port : ports_) {
            const ports::QueuePair& queue = port->queue_pairs()[0];
            sum += rte_mempool_avail_count(queue.pool);
            if (queue.pinned != nullptr) {
                sum += rte_mempool_avail_count(queue.pinned->pool(0));
                sum += rte_mempool_avail_count(queue.pinned->pool(1));
            }
        }
        return sum;
    }

    [[nodiscard]] std::uint16_t port(std::size_t side) const { return ports_[side]->id(); }
    traffic::Traffic& client() { return *engines_[0]; }
    traffic::Traffic& server() { return *engines_[1]; }

    traffic::SessionSpec spec_of(bool server, const Directions& directions)
    {
        traffic::SessionSpec spec;
        spec.id = 1;
        spec.server = server;
        spec.local = server ? kServer : kClient;
        spec.remote = server ? kClient : kServer;
        spec.next_hop = ports_[server ? 0 : 1]->mac();
        spec.tcp = tcp_spec();
        for (std::size_t i = 0; i < directions.size(); ++i) {
            traffic::StreamSpec stream;
            stream.direction = server ? other(directions[i]) : directions[i];
            stream.local_port = server ? kPort : static_cast<std::uint16_t>(40000 + i);
            stream.remote_port = server ? std::uint16_t{0} : kPort;
            stream.datagram = {kBlock};
            spec.streams.push_back(stream);
        }
        return spec;
    }

    void open(const traffic::SessionSpec& of_client, const traffic::SessionSpec& of_server)
    {
        ASSERT_TRUE(server().open(of_server));
        ASSERT_TRUE(client().open(of_client));
        for (std::uint32_t i = 0; i < of_client.streams.size(); ++i) {
            client().say_hello(1, i);
            ASSERT_TRUE(eventually([&] { return client().status(1).streams[i].open; })) << i;
        }
        ASSERT_TRUE(eventually(
            [&] { return server().status(1).open_streams == of_server.streams.size(); }));
        EXPECT_EQ(server().status(1).streams[0].remote_port, 40000);
    }

    void open(const Directions& directions)
    {
        open(spec_of(false, directions), spec_of(true, directions));
    }

    void start(std::optional<std::chrono::nanoseconds> end = {})
    {
        const Moment now = Moment::clock::now();
        server().start(1, {.start = now, .edges = {}, .end = {}});
        client().start(1, {.start = now, .edges = {}, .end = end});
    }

    // Both sides stop, senders first, and nothing is left on the way.
    void finish()
    {
        for (auto& engine : engines_) {
            engine->stop(1);
            EXPECT_TRUE(eventually([&] { return !engine->status(1).sending; }));
        }
        for (auto& engine : engines_) {
            engine->finish(1);
            EXPECT_TRUE(eventually([&] { return engine->status(1).finished; }));
        }
    }

    // Pollers without a session look at nothing, so a reset would be the next test's.
    void close()
    {
        client().close(1);
        server().close(1);
        drain();
    }

    void drain()
    {
        for (rte_ring* ring : rings_) {
            void* mbuf = nullptr;
            while (rte_ring_dequeue(ring, &mbuf) == 0) {
                rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
            }
        }
    }

    static void expect_healthy(const traffic::SessionTrouble& trouble)
    {
        EXPECT_EQ(trouble.bad_checksum, 0U);
        EXPECT_EQ(trouble.bad_length, 0U);
        EXPECT_EQ(trouble.unexpected, 0U);
        EXPECT_EQ(trouble.not_handed_over, 0U);
    }

    // What one side has sent on a stream the other has received.
    void expect_delivered(const Directions& directions)
    {
        for (std::uint32_t i = 0; i < directions.size(); ++i) {
            const auto ours = client().snapshot(1, i, stats::kFinalEdge);
            const auto theirs = server().snapshot(1, i, stats::kFinalEdge);
            ASSERT_TRUE(ours && theirs);
            EXPECT_EQ(ours->bytes, theirs->bytes) << i;
            EXPECT_GT(ours->bytes.value, 20'000U) << i;
            const auto& sender = directions[i] == Direction::kSend ? *ours : *theirs;
            EXPECT_EQ(sender.retransmits, 0U);
            EXPECT_GE(sender.cwnd_bytes, 10 * 1448U);
            EXPECT_GT(sender.rtt_us, 0U);
        }
        expect_healthy(client().trouble(1));
        expect_healthy(server().trouble(1));
    }

    void expect_transfer(const Directions& directions)
    {
        open(directions);
        start();
        EXPECT_TRUE(eventually([&] {
            return (client().status(1).sent + client().status(1).received).value > 50'000'000;
        }));
        finish();
        expect_delivered(directions);
        close();
    }

    impair::Plan impairment_;  // of the client

private:
    static inline int next_ = 0;
    std::array<rte_ring*, kSides> rings_{};  // what side i receives from
    std::array<std::optional<ports::Port>, kSides> ports_;
    std::array<std::unique_ptr<traffic::Traffic>, kSides> engines_;
    unsigned available_ = 0;
};

TEST_P(TcpEngine, SendsWhatTheOtherSideReceives)
{
    expect_transfer({Direction::kSend});
}

TEST_P(TcpEngine, ReceivesWhatTheServerSends)
{
    expect_transfer({Direction::kReceive});
}

TEST_P(TcpEngine, CarriesSeveralStreamsInBothDirections)
{
    expect_transfer({Direction::kSend, Direction::kSend, Direction::kSend, Direction::kReceive,
        Direction::kReceive, Direction::kReceive});
}

TEST_P(TcpEngine, RunsATestAfterATest)
{
    expect_transfer({Direction::kSend});
    expect_transfer({Direction::kReceive});
}

TEST_P(TcpEngine, StopsAtTheLimitOfTheUser)
{
    const Directions one{Direction::kSend};
    auto of_client = spec_of(false, one);
    of_client.streams[0].max_datagrams = 100;
    open(of_client, spec_of(true, one));
    start();
    EXPECT_TRUE(eventually([&] { return !client().status(1).sending; }));
    finish();
    EXPECT_EQ(client().snapshot(1, 0, stats::kFinalEdge)->bytes.value, 100 * kBlock);
    EXPECT_EQ(server().snapshot(1, 0, stats::kFinalEdge)->bytes.value, 100 * kBlock);
    close();
}

TEST_P(TcpEngine, KeepsARate)
{
    const Directions one{Direction::kSend};
    auto of_client = spec_of(false, one);
    of_client.streams[0].rate = BitRate::from_bps(100'000'000);
    of_client.streams[0].datagram = {10'000};
    open(of_client, spec_of(true, one));
    start(1s);
    EXPECT_TRUE(eventually([&] { return !client().status(1).sending; }));
    finish();
    const auto bytes = client().snapshot(1, 0, stats::kFinalEdge)->bytes.value;
    EXPECT_GT(bytes, 11'000'000U);
    EXPECT_LE(bytes, 12'520'000U);
    EXPECT_EQ(server().snapshot(1, 0, stats::kFinalEdge)->bytes.value, bytes);
    close();
}

TEST_P(TcpEngine, BeginsWithOneBlockOfARate)
{
    const Directions one{Direction::kSend};
    auto of_client = spec_of(false, one);
    of_client.streams[0].rate = BitRate::from_bps(1'000'000);  // a block a second
    open(of_client, spec_of(true, one));
    start();
    EXPECT_TRUE(eventually([&] { return client().status(1).sent.value >= kBlock; }));
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(client().status(1).sent.value, kBlock);
    finish();
    close();
}

// Both ways of the client's link are bad; TearDown() counts the mbufs.
class ImpairedTcpEngine : public TcpEngine {
protected:
    void SetUp() override
    {
        const impair::Settings bad{.loss = 0.02,
            .delay = 200us,
            .reorder = 0.05,
            .reorder_delay = 100us,
            .duplicate = 0.02};
        impairment_ = {.transmit = bad, .receive = bad, .seed = 5};
        TcpEngine::SetUp();
    }

    void transfer(const Directions& directions)
    {
        auto of_client = spec_of(false, directions);
        auto of_server = spec_of(true, directions);
        for (auto* spec : {&of_client, &of_server}) {
            spec->streams[0].max_datagrams = 20;
        }
        open(of_client, of_server);
        start();
        EXPECT_TRUE(
            eventually([&] { return !client().status(1).sending && !server().status(1).sending; }));
        finish();
        EXPECT_EQ(client().snapshot(1, 0, stats::kFinalEdge)->bytes.value, 20 * kBlock);
        EXPECT_EQ(server().snapshot(1, 0, stats::kFinalEdge)->bytes.value, 20 * kBlock);
    }
};

TEST_P(ImpairedTcpEngine, DeliversAllTheSame)
{
    transfer({Direction::kSend});
    const auto impaired = client().trouble(1).impaired;
    for (const auto& way : {impaired.transmitted, impaired.received}) {
        EXPECT_GT(way.lost, 0U);
        EXPECT_GT(way.twice, 0U);
        EXPECT_GT(way.reordered, 0U);
        EXPECT_EQ(way.overflown, 0U);
    }
    EXPECT_GT(client().snapshot(1, 0, stats::kFinalEdge)->retransmits, 0U);
    EXPECT_GT(client().snapshot(1, 0, stats::kFinalEdge)->rtt_us, 400U);
    EXPECT_EQ(server().trouble(1).impaired.transmitted.lost, 0U);
    close();
}

TEST_P(ImpairedTcpEngine, CountsForEachTestAnew)
{
    transfer({Direction::kReceive});
    const auto first = client().trouble(1).impaired.received.lost;
    EXPECT_GT(first, 0U);
    close();
    ASSERT_TRUE(client().open(spec_of(false, {Direction::kReceive})));
    EXPECT_LT(client().trouble(1).impaired.received.lost, first);
    client().close(1);
}

TEST_P(TcpEngine, RefusesAStreamWithAnotherCookie)
{
    const Directions one{Direction::kSend};
    auto of_client = spec_of(false, one);
    of_client.tcp = tcp_spec('y');
    ASSERT_TRUE(server().open(spec_of(true, one)));
    ASSERT_TRUE(client().open(of_client));
    client().say_hello(1, 0);
    EXPECT_TRUE(eventually([&] { return server().status(1).streams[0].refused; }));
    EXPECT_EQ(server().status(1).open_streams, 0U);
    EXPECT_TRUE(eventually([&] {
        const auto stream = client().status(1).streams[0];
        return stream.refused || stream.ended;
    }));
    close();
}

TEST_P(TcpEngine, AStrangerTakesNobodysPlace)
{
    const Directions one{Direction::kSend};
    auto of_stranger = spec_of(false, one);
    of_stranger.tcp = tcp_spec('y');
    ASSERT_TRUE(server().open(spec_of(true, one)));
    ASSERT_TRUE(client().open(of_stranger));
    client().say_hello(1, 0);
    EXPECT_TRUE(eventually([&] {
        const auto stream = client().status(1).streams[0];
        return stream.refused || stream.ended;
    }));
    EXPECT_TRUE(server().status(1).streams[0].refused);
    EXPECT_FALSE(server().status(1).streams[0].ended) << "that would be the end of the test";
    client().close(1);
    auto of_client = spec_of(false, one);
    of_client.streams[0].local_port = 40001;
    ASSERT_TRUE(client().open(of_client));
    client().say_hello(1, 0);
    ASSERT_TRUE(eventually([&] { return server().status(1).open_streams == 1; }));
    EXPECT_EQ(server().status(1).streams[0].remote_port, 40001);
    EXPECT_FALSE(server().status(1).streams[0].ended);
    start();
    EXPECT_TRUE(eventually([&] { return server().status(1).received.value > 1'000'000; }));
    finish();
    close();
}

TEST_P(TcpEngine, SeesThatNobodyListens)
{
    ASSERT_TRUE(client().open(spec_of(false, {Direction::kSend})));
    client().say_hello(1, 0);
    std::this_thread::sleep_for(10ms);
    EXPECT_FALSE(client().status(1).streams[0].open);
    EXPECT_FALSE(client().status(1).streams[0].refused);
    client().close(1);
}

TEST_P(TcpEngine, TellsOfAPeerThatHasGone)
{
    open({Direction::kSend});
    start();
    EXPECT_TRUE(eventually([&] { return client().status(1).sent.value > 1'000'000; }));
    server().close(1);  // resets what it has
    EXPECT_TRUE(eventually([&] { return client().status(1).streams[0].ended; }));
    EXPECT_FALSE(client().status(1).sending);
    client().close(1);
}

// Looks at every segment that is left to the device to cut.
class UncutSegments {
public:
    void look(const rte_mbuf& mbuf)
    {
        if ((mbuf.ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0) {
            return;
        }
        ++seen;
        const auto* const frame = rte_pktmbuf_mtod(&mbuf, const std::byte*);
        std::uint32_t bytes = 0;
        for (const rte_mbuf* m = &mbuf; m != nullptr; m = m->next) {
            bytes += m->data_len;
        }
        const std::uint32_t headers = 0U + mbuf.l2_len + mbuf.l3_len + mbuf.l4_len;
        const auto* const ip = rte_pktmbuf_mtod_offset(&mbuf, const rte_ipv4_hdr*, mbuf.l2_len);
        const auto* const tcp = rte_pktmbuf_mtod_offset(
            &mbuf, const rte_tcp_hdr*, static_cast<std::size_t>(mbuf.l2_len) + mbuf.l3_len);
        const auto sequence = load_be<std::uint32_t>(frame + mbuf.l2_len + mbuf.l3_len + 4);
        const bool good = bytes == mbuf.pkt_len && mbuf.tso_segsz == 1448 &&
                          mbuf.data_len == headers && bytes - headers > mbuf.tso_segsz &&
                          (tcp->data_off >> 4U) * 4U == mbuf.l4_len &&
                          tcp->cksum == rte_ipv4_phdr_cksum(ip, RTE_MBUF_F_TX_TCP_SEG) &&
                          load_be<std::uint16_t>(frame + mbuf.l2_len + 2) == bytes - mbuf.l2_len &&
                          follows(mbuf.next, sequence);
        bad += good ? 0 : 1;
    }

    std::atomic<int> seen{0}, bad{0};

private:
    // The pattern begins where the last segment's has ended, in all mbufs of the chain.
    bool follows(const rte_mbuf* payload, std::uint32_t sequence)
    {
        if (first_) {
            base_ = sequence - payload->data_off;
            first_ = false;
        }
        for (; payload != nullptr; payload = payload->next) {
            const std::uint32_t phase = (sequence - base_) % tcp::Pattern::kPeriod;
            if (payload->data_off % tcp::Pattern::kPeriod != phase) {
                return false;
            }
            sequence += payload->data_len;
        }
        return true;
    }

    bool first_ = true;
    std::uint32_t base_ = 0;
};

TEST_P(TcpEngine, LeavesCuttingToTheDeviceWhereItCan)
{
    UncutSegments segments;
    const auto look = [](std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count,
                          void* to) {
        for (std::uint16_t i = 0; i < count; ++i) {
            static_cast<UncutSegments*>(to)->look(*mbufs[i]);
        }
        return count;
    };
    const auto* const callback = rte_eth_add_tx_callback(port(0), 0, look, &segments);
    ASSERT_NE(callback, nullptr);
    expect_transfer({Direction::kSend});
    EXPECT_EQ(rte_eth_remove_tx_callback(port(0), 0, callback), 0);
    EXPECT_EQ(segments.seen > 100, GetParam() == Payload::kUncut);
    EXPECT_EQ(segments.bad, 0);
}

std::string name_of(const testing::TestParamInfo<Payload>& tested)
{
    switch (tested.param) {
    case Payload::kCopied:
        return "Copied";
    case Payload::kInPlace:
        return "InPlace";
    case Payload::kUncut:
        break;
    }
    return "Uncut";
}

INSTANTIATE_TEST_SUITE_P(Payloads, TcpEngine,
    testing::Values(Payload::kCopied, Payload::kInPlace, Payload::kUncut), name_of);
INSTANTIATE_TEST_SUITE_P(
    Payloads, ImpairedTcpEngine, testing::Values(Payload::kCopied, Payload::kInPlace), name_of);

}  // namespace
}  // namespace dpdkperf::engine
