#pragma once

// Two engines, whose ports are joined by rings, and TCP between them.

#include "dpdkperf/engine/engine.hpp"
#include "eal_environment.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace dpdkperf::engine {

using namespace std::chrono_literals;
using traffic::Direction;

inline constexpr IpAddress kClient = IpAddress::from_v4(0x0a000001),
                           kServer = IpAddress::from_v4(0x0a000002);
inline constexpr std::uint16_t kPort = 5201;
inline constexpr std::uint64_t kBlock = 128 * 1024;

// Which way data goes, stream by stream, as the client sees it.
using Directions = std::vector<Direction>;

inline traffic::TcpSpec tcp_spec(char mark = 'x')
{
    traffic::TcpSpec spec;
    spec.cookie.fill(static_cast<std::byte>(mark));
    spec.cookie.back() = std::byte{0};
    return spec;
}

inline Direction other(Direction direction)
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

    // The client's only stream begins to send `file`, and the server to keep it.
    void send(std::span<const std::byte> file, StreamStore& store)
    {
        const Directions one{Direction::kSend};
        auto of_client = spec_of(false, one);
        of_client.tcp->file = file;
        auto of_server = spec_of(true, one);
        of_server.streams[0].store = &store;
        open(of_client, of_server);
        start();
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

    std::array<rte_ring*, kSides> rings_{};  // what side i receives from

private:
    static inline int next_ = 0;
    std::array<std::optional<ports::Port>, kSides> ports_;
    std::array<std::unique_ptr<traffic::Traffic>, kSides> engines_;
    unsigned available_ = 0;
};

inline std::string name_of(const testing::TestParamInfo<Payload>& tested)
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

}  // namespace dpdkperf::engine
