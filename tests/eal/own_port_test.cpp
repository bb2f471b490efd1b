// An engine on a port that gives it every packet: what is no stream's goes to the kernel, what the
// kernel sends leaves by the port, and a flow that comes to the wrong poller reaches its owner.

#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/ports/exception_path.hpp"
#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/toeplitz.hpp"
#include "dpdkperf/wire/udp_headers.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "ring_port.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace dpdkperf::engine {
namespace {

using namespace std::chrono_literals;
using traffic::Direction;

constexpr Mac kOurs{{2, 0, 0, 0, 0, 1}}, kHop{{2, 0, 0, 0, 0, 2}};
constexpr IpAddress kLocal = IpAddress::from_v4(0x0a000001),
                    kRemote = IpAddress::from_v4(0x0a000002);

class OwnPort : public RingPort {
protected:
    void SetUp() override
    {
        RingPort::SetUp();
        test_eal().run([&] {
            auto exceptions = ports::ExceptionPath::create(name_, SOCKET_ID_ANY);
            ASSERT_TRUE(exceptions) << exceptions.error().message;
            exceptions_ = *std::move(exceptions);
        });
        auto engine = create_engine({.eal = &test_eal(),
            .pollers = pollers(),
            .mac = kOurs,
            .rx_checksum = RxChecksum::kVerify,
            .rss = rss(),
            .exceptions = exceptions_.get()});
        ASSERT_TRUE(engine) << engine.error().message;
        engine_ = *std::move(engine);
    }

    void TearDown() override
    {
        engine_.reset();
        exceptions_.reset();
        RingPort::TearDown();
    }

    // Every fourth hash goes to the second queue.
    static ports::RssState rss()
    {
        ports::RssState state;
        for (std::uint8_t i = 0; i < 40; ++i) {
            state.key.push_back(static_cast<std::uint8_t>(i * 37 + 11));
        }
        state.queues = {0, 0, 0, 1};
        state.functions = RTE_ETH_RSS_NONFRAG_IPV4_UDP;
        return state;
    }

    rte_mbuf* frame_of(std::span<const std::byte> bytes) const
    {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(pool(0));
        std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size())),
            bytes.data(), bytes.size());
        return mbuf;
    }

    // A datagram from `from` to `to`, with a right checksum.
    rte_mbuf* datagram(
        const Endpoint& from, const Endpoint& to, std::span<const std::byte> payload) const
    {
        const wire::UdpHeaders headers{
            {.source_mac = kHop, .next_hop = kOurs, .source = from, .destination = to},
            static_cast<std::uint16_t>(payload.size())};
        std::vector<std::byte> frame{headers.bytes().begin(), headers.bytes().end()};
        const std::uint16_t checksum =
            wire::finish_udp(wire::add_bytes(headers.base_sum(), payload));
        std::memcpy(&frame[headers.checksum_offset()], &checksum, sizeof checksum);
        frame.insert(frame.end(), payload.begin(), payload.end());
        return frame_of(frame);
    }

    static std::vector<std::byte> stamped(std::uint32_t sequence)
    {
        std::vector<std::byte> payload(100);
        store_be<std::uint32_t>(&payload[wire::kStampSequence], sequence);
        return payload;
    }

    void arrives(unsigned queue, rte_mbuf* mbuf) const
    {
        ASSERT_EQ(rte_ring_enqueue(rx_[queue], mbuf), 0);
    }

    rte_mbuf* sent_within_seconds(unsigned queue) const
    {
        rte_mbuf* mbuf = nullptr;
        EXPECT_TRUE(eventually([&] { return (mbuf = sent(queue)) != nullptr; }));
        return mbuf;
    }

    // The next packet that was given to the kernel.
    rte_mbuf* exception() const
    {
        std::array<rte_mbuf*, 1> mbuf{};
        EXPECT_TRUE(eventually([&] { return exceptions_->received(mbuf) == 1; }));
        return mbuf[0];
    }

    // A client's session of two receivers: stream 0 was dealt to poller 0, stream 1 to poller 1.
    // Both replies come to `reply_queue`.
    void open_receivers(unsigned reply_queue)
    {
        traffic::StreamSpec spec;
        spec.direction = Direction::kReceive;
        spec.datagram = {100};
        spec.remote_port = 5201;
        traffic::SessionSpec session{.id = 1,
            .local = kLocal,
            .remote = kRemote,
            .next_hop = kHop,
            .server = false,
            .streams = {}};
        for (const std::uint16_t port : {std::uint16_t{40000}, std::uint16_t{40001}}) {
            spec.local_port = port;
            session.streams.push_back(spec);
        }
        ASSERT_TRUE(engine_->open(session));
        std::array<std::byte, 4> reply{};
        store_be<std::uint32_t>(reply.data(), wire::kReply);
        for (std::uint32_t i = 0; i < 2; ++i) {
            engine_->say_hello(1, i);
            rte_pktmbuf_free(sent_within_seconds(i));
            arrives(reply_queue,
                datagram({kRemote, 5201}, {kLocal, session.streams[i].local_port}, reply));
            ASSERT_TRUE(eventually([&] { return engine_->status(1).streams[i].open; }));
        }
        engine_->start(1, {.start = std::chrono::steady_clock::now(), .edges = {}, .end = {}});
    }

    // A server's session of one sender, opened by a hello from port `peer_port`.
    void serve_sender(traffic::SessionId id, std::uint16_t peer_port)
    {
        traffic::StreamSpec spec;
        spec.datagram = {100};
        spec.local_port = 5201;
        ASSERT_TRUE(engine_->open({.id = id,
            .local = kLocal,
            .remote = kRemote,
            .next_hop = kHop,
            .server = true,
            .streams = {spec}}));
        const std::array<std::byte, 4> hello{};
        arrives(0, datagram({kRemote, peer_port}, {kLocal, 5201}, hello));
        ASSERT_TRUE(eventually([&] { return engine_->status(id).open_streams == 1; }));
        EXPECT_EQ(engine_->status(id).streams[0].remote_port, peer_port);
        rte_pktmbuf_free(sent_within_seconds(0));
    }

    void finish()
    {
        engine_->finish(1);
        ASSERT_TRUE(eventually([&] { return engine_->status(1).finished; }));
    }

    stats::Snapshot final_of(std::uint32_t stream) const
    {
        const auto last = engine_->snapshot(1, stream, stats::kFinalEdge);
        EXPECT_TRUE(last);
        return last.value_or(stats::Snapshot{});
    }

    std::unique_ptr<ports::ExceptionPath> exceptions_;
    std::unique_ptr<traffic::Traffic> engine_;
};

std::array<std::byte, 60> arp_frame()
{
    std::array<std::byte, 60> frame{};
    frame[12] = std::byte{0x08};
    frame[13] = std::byte{0x06};
    frame[59] = std::byte{0x5a};
    return frame;
}

// Each takes the hello that comes while it is the one that expects some. What one has stamped and
// the full ring has not taken goes with it, and nothing of the other's.
TEST_F(OwnPort, EndsOneOfTwoTestsWithOnePeerBehindAFullRing)
{
    serve_sender(1, 4001);
    serve_sender(2, 4002);
    for (const traffic::SessionId id : {1U, 2U}) {
        engine_->start(id, {.start = std::chrono::steady_clock::now(), .edges = {}, .end = {}});
    }
    ASSERT_TRUE(eventually([&] { return rte_ring_full(tx_[0]) == 1; }));
    engine_->finish(1);
    ASSERT_TRUE(eventually([&] { return engine_->status(1).finished; }));
    std::map<std::uint16_t, std::uint64_t> last{{4001, 0}, {4002, 0}};
    const std::uint64_t of_first = engine_->status(1).datagrams_sent;
    engine_->close(1);
    const auto take = [&](rte_mbuf* mbuf) {
        const wire::UdpView view =
            wire::parse_udp({rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf->data_len});
        EXPECT_EQ(load_be<std::uint32_t>(&view.payload()[wire::kStampSequence]),
            ++last[view.destination.port])
            << "to port " << view.destination.port;
        rte_pktmbuf_free(mbuf);
    };
    while (last[4002] < 1000) {
        take(sent_within_seconds(0));
    }
    EXPECT_EQ(last[4001], of_first);
    engine_->finish(2);
    ASSERT_TRUE(eventually([&] { return engine_->status(2).finished; }));
    while (rte_mbuf* mbuf = sent(0)) {
        take(mbuf);
    }
    EXPECT_EQ(last[4002], engine_->status(2).datagrams_sent);
}

TEST_F(OwnPort, GivesThePacketsOfOthersToTheKernelWithAndWithoutASession)
{
    const std::array<std::byte, 8> payload{};
    for (const bool session : {false, true}) {
        SCOPED_TRACE(session);
        if (session) {
            open_receivers(0);
        }
        for (unsigned q = 0; q < kQueues; ++q) {
            arrives(q, frame_of(arp_frame()));
            rte_mbuf* const arp = exception();
            ASSERT_NE(arp, nullptr);
            EXPECT_EQ(arp->pkt_len, 60U);
            EXPECT_EQ(std::memcmp(rte_pktmbuf_mtod(arp, void*), arp_frame().data(), 60), 0);
            rte_pktmbuf_free(arp);
            // From the peer of the test, but to a port of somebody else.
            arrives(q, datagram({kRemote, 5201}, {kLocal, 53}, payload));
            rte_mbuf* const udp = exception();
            ASSERT_NE(udp, nullptr);
            rte_pktmbuf_free(udp);
        }
    }
    EXPECT_EQ(engine_->trouble(1).unexpected, 0U);
}

TEST_F(OwnPort, SendsWhatTheKernelSendsByItsFirstPoller)
{
    for (const bool session : {false, true}) {
        SCOPED_TRACE(session);
        if (session) {
            open_receivers(0);
        }
        std::array<rte_mbuf*, 1> mbuf{frame_of(arp_frame())};
        ASSERT_EQ(exceptions_->send(mbuf), 1U);
        rte_mbuf* const left = sent_within_seconds(0);
        ASSERT_NE(left, nullptr);
        EXPECT_EQ(std::memcmp(rte_pktmbuf_mtod(left, void*), arp_frame().data(), 60), 0);
        rte_pktmbuf_free(left);
    }
    EXPECT_EQ(sent(1), nullptr);
}

TEST_F(OwnPort, KeepsTheKernelsPacketsWhileTheRingIsFull)
{
    constexpr unsigned kPackets = 600;  // more than the ring of 256 holds
    for (unsigned i = 0; i < kPackets; ++i) {
        std::array<rte_mbuf*, 1> mbuf{frame_of(arp_frame())};
        mbuf[0]->pkt_len = mbuf[0]->data_len = static_cast<std::uint16_t>(60 + i % 500);
        ASSERT_TRUE(eventually([&] { return exceptions_->send(mbuf) == 1; }));
    }
    ASSERT_TRUE(eventually([&] { return rte_ring_full(tx_[0]) == 1; }));
    for (unsigned i = 0; i < kPackets; ++i) {
        rte_mbuf* const left = sent_within_seconds(0);
        ASSERT_NE(left, nullptr) << i;
        EXPECT_EQ(left->pkt_len, 60 + i % 500) << "out of order";
        rte_pktmbuf_free(left);
    }
}

TEST_F(OwnPort, WakesATwinThatSleeps)
{
    ASSERT_TRUE(exceptions_->prepare_to_sleep());
    pollfd wake{exceptions_->wake_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&wake, 1, 0), 0);
    arrives(1, frame_of(arp_frame()));
    EXPECT_EQ(poll(&wake, 1, 10'000), 1);
    exceptions_->woke_up();
    EXPECT_EQ(poll(&wake, 1, 0), 0);
    // There is something: no time to sleep.
    EXPECT_FALSE(exceptions_->prepare_to_sleep());
    rte_pktmbuf_free(exception());
}

TEST_F(OwnPort, LetsAReceiverBelongToThePollerThatItsReplyCameTo)
{
    open_receivers(1);
    for (std::uint32_t n = 1; n <= 100; ++n) {
        for (const std::uint16_t port : {std::uint16_t{40000}, std::uint16_t{40001}}) {
            arrives(1, datagram({kRemote, 5201}, {kLocal, port}, stamped(n)));
        }
        ASSERT_TRUE(eventually([&] { return rte_ring_empty(rx_[1]) == 1; }));
    }
    ASSERT_TRUE(eventually([&] { return engine_->status(1).datagrams_received == 200; }));
    finish();
    for (const std::uint32_t stream : {0U, 1U}) {
        EXPECT_EQ(final_of(stream).arrived, 100U);
        EXPECT_EQ(final_of(stream).lost, 0);
    }
}

TEST_F(OwnPort, HandsPacketsOfAnotherPollersStreamOver)
{
    open_receivers(0);
    for (std::uint32_t n = 1; n <= 100; ++n) {
        // Both streams are poller 0's now; this comes to poller 1.
        arrives(1, datagram({kRemote, 5201}, {kLocal, 40000}, stamped(n)));
        ASSERT_TRUE(eventually([&] { return engine_->status(1).datagrams_received == n; }));
    }
    finish();
    EXPECT_EQ(final_of(0).arrived, 100U);
    EXPECT_EQ(final_of(0).lost, 0);
    EXPECT_EQ(engine_->trouble(1).handed_over, 100U);
    EXPECT_EQ(engine_->trouble(1).not_handed_over, 0U);
}

TEST_F(OwnPort, KnowsWhichLocalPortsBringAFlowToItsPoller)
{
    const ports::RssState state = rss();
    unsigned second = 0;
    for (std::uint16_t port = 40'000; port < 40'400; ++port) {
        const Endpoint local{kLocal, port}, remote{kRemote, 5201};
        const auto queue = wire::queue_of(state.queues, wire::rss_hash(state.key, remote, local));
        EXPECT_EQ(engine_->suits(IpProtocol::kUdp, local, remote, 0), queue == 0) << port;
        EXPECT_EQ(engine_->suits(IpProtocol::kUdp, local, remote, 1), queue == 1) << port;
        EXPECT_EQ(engine_->suits(IpProtocol::kUdp, local, remote, 3), queue == 1) << port;
        second += queue;
    }
    EXPECT_GT(second, 50U);
    EXPECT_LT(second, 150U);
    // Ports are no part of the hash of IPv6 or TCP here: any port is as good as another.
    const auto v6 = *IpAddress::parse("fd00::1");
    for (const std::uint32_t index : {0U, 1U}) {
        EXPECT_TRUE(engine_->suits(IpProtocol::kUdp, {v6, 1}, {v6, 2}, index));
        EXPECT_TRUE(engine_->suits(IpProtocol::kTcp, {kLocal, 1}, {kRemote, 2}, index));
    }
}

TEST_F(OwnPort, BelievesWhatThePortSaysOfChecksums)
{
    open_receivers(0);
    const Endpoint from{kRemote, 5201}, to{kLocal, 40000};
    const auto marked = [&](std::uint32_t sequence, std::uint64_t flags, bool wrong) {
        rte_mbuf* mbuf = datagram(from, to, stamped(sequence));
        mbuf->ol_flags = flags;
        if (wrong) {
            ++*rte_pktmbuf_mtod_offset(mbuf, std::uint8_t*, mbuf->data_len - 1);
        }
        return mbuf;
    };
    arrives(0, marked(1, RTE_MBUF_F_RX_L4_CKSUM_GOOD, true));
    arrives(0, marked(2, RTE_MBUF_F_RX_L4_CKSUM_NONE, true));
    arrives(0, marked(3, RTE_MBUF_F_RX_L4_CKSUM_BAD, false));
    arrives(0, marked(4, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, true));
    arrives(0, marked(5, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, false));
    ASSERT_TRUE(eventually([&] { return engine_->status(1).datagrams_received == 3; }));
    finish();
    EXPECT_EQ(final_of(0).lost, 2);
    EXPECT_EQ(engine_->trouble(1).bad_checksum, 2U);
}

}  // namespace
}  // namespace dpdkperf::engine
