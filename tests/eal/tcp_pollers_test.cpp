// A client over TCP whose packets come to another poller than the one that its stream was dealt to.

#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/tcp/connection.hpp"
#include "dpdkperf/tcp/content.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "dpdkperf/wire/tcp_view.hpp"
#include "eal_environment.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace dpdkperf::engine {
namespace {

using traffic::Direction;

constexpr unsigned kQueues = 2;
constexpr Mac kOurMac{{2, 0, 0, 0, 0, 1}}, kPeerMac{{2, 0, 0, 0, 0, 2}};
constexpr Endpoint kOurEnd{IpAddress::from_v4(0x0a000001), 40000};
constexpr Endpoint kPeerEnd{IpAddress::from_v4(0x0a000002), 5201};

// A server of one connection whose NIC is the test: all that it sends comes to our second queue.
class Peer {
public:
    Peer(rte_mempool* pool, rte_ring* to) : pool_{pool}, to_{to}
    {
        tcp::Settings settings;
        settings.kept_prefix_bytes = traffic::TcpSpec::kCookieBytes;
        connection.listen(settings, Moment::clock::now());
    }

    void take(const rte_mbuf& mbuf)
    {
        std::array<std::byte, 2048> bytes{};
        std::size_t size = 0;
        for (const rte_mbuf* m = &mbuf; m != nullptr; m = m->next) {
            std::memcpy(&bytes[size], rte_pktmbuf_mtod(m, const void*), m->data_len);
            size += m->data_len;
        }
        const wire::TcpView view = wire::parse_tcp(std::span{bytes}.first(size), size);
        ASSERT_EQ(view.fault, wire::TcpFault::kNone);
        connection.on_segment({.header = view.header,
                                  .payload_bytes = static_cast<std::uint32_t>(view.payload_bytes),
                                  .head = view.payload},
            Moment::clock::now());
    }

    void send()
    {
        tcp::Segment segment;
        while (rte_ring_free_count(to_) > 0 &&
               connection.next_segment(Moment::clock::now(), segment)) {
            rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool_);
            ASSERT_NE(mbuf, nullptr);
            std::array<std::byte, wire::kMaxTcpFrameHeader> frame{};
            const wire::TcpFrameHeader written =
                writer_.write(frame, segment.header, segment.payload_bytes, segment.ecn);
            const std::uint16_t checksum = wire::finish(written.sum);  // the payload is all zeros
            std::memcpy(&frame[written.checksum_offset], &checksum, sizeof checksum);
            const auto bytes =
                static_cast<std::uint16_t>(written.size_bytes + segment.payload_bytes);
            char* const at = rte_pktmbuf_append(mbuf, bytes);
            std::memset(at, 0, bytes);
            std::memcpy(at, frame.data(), written.size_bytes);
            ASSERT_EQ(rte_ring_enqueue(to_, mbuf), 0);
        }
    }

    tcp::Connection connection;

private:
    rte_mempool* pool_;
    rte_ring* to_;
    const wire::TcpFrameWriter writer_{
        {.source_mac = kPeerMac, .next_hop = kOurMac, .source = kPeerEnd, .destination = kOurEnd}};
};

// Two pollers, and a stream that is dealt to the first.
class TcpPollers : public testing::Test {
protected:
    void SetUp() override
    {
        test_eal().run([&] {
            const std::string name = "tcp-pollers" + std::to_string(next_++);
            for (unsigned q = 0; q < kQueues; ++q) {
                const std::string ring = name + "-" + std::to_string(q);
                rx_[q] = rte_ring_create((ring + "r").c_str(), 256, SOCKET_ID_ANY, 0);
                tx_[q] = rte_ring_create((ring + "t").c_str(), 256, SOCKET_ID_ANY, 0);
            }
            const int id =
                rte_eth_from_rings(name.c_str(), rx_.data(), kQueues, tx_.data(), kQueues, 0);
            ASSERT_GE(id, 0);
            ports::PortPlan plan;
            plan.queue_pairs = kQueues;
            plan.pool_mbufs = 2047;
            plan.cache_mbufs = 64;
            auto port = ports::Port::configure(static_cast<std::uint16_t>(id), plan);
            ASSERT_TRUE(port) << port.error().message;
            ASSERT_TRUE(port->start());
            port_.emplace(*std::move(port));
        });
        available_ = free_mbufs();
        const auto lcores = test_eal().poller_lcores();
        ASSERT_GE(lcores.size(), kQueues);
        auto engine = create_engine({.eal = &test_eal(),
            .pollers = {{lcores[0], {port_->queue_pairs()[0]}},
                {lcores[1], {port_->queue_pairs()[1]}}},
            .mac = kOurMac,
            .rx_checksum = RxChecksum::kVerify});
        ASSERT_TRUE(engine) << engine.error().message;
        engine_ = *std::move(engine);
        peer_ = std::make_unique<Peer>(port_->queue_pairs()[0].pool, rx_[1]);
    }

    void TearDown() override
    {
        engine_.reset();
        for (const auto& rings : {rx_, tx_}) {
            for (rte_ring* ring : rings) {
                void* mbuf = nullptr;
                while (rte_ring_dequeue(ring, &mbuf) == 0) {
                    rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
                }
            }
        }
        EXPECT_EQ(free_mbufs(), available_) << "mbufs were lost or doubled";
        test_eal().run([&] {
            port_.reset();
            for (unsigned q = 0; q < kQueues; ++q) {
                rte_ring_free(rx_[q]);
                rte_ring_free(tx_[q]);
            }
        });
    }

    [[nodiscard]] unsigned free_mbufs() const
    {
        return rte_mempool_avail_count(port_->queue_pairs()[0].pool) +
               rte_mempool_avail_count(port_->queue_pairs()[1].pool);
    }

    // The wire, until `done`.
    template <class Done>
    void run_until(Done done)
    {
        ASSERT_TRUE(eventually([&] {
            for (unsigned q = 0; q < kQueues; ++q) {
                void* mbuf = nullptr;
                while (rte_ring_dequeue(tx_[q], &mbuf) == 0) {
                    ++left_by_[q];
                    peer_->take(*static_cast<rte_mbuf*>(mbuf));
                    rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
                }
            }
            peer_->send();
            return done();
        }));
    }

    void open(Direction direction)
    {
        traffic::StreamSpec stream;
        stream.direction = direction;
        stream.datagram = {10'000};
        stream.local_port = kOurEnd.port;
        stream.remote_port = kPeerEnd.port;
        ASSERT_TRUE(engine_->open({.id = 1,
            .local = kOurEnd.address,
            .remote = kPeerEnd.address,
            .next_hop = kPeerMac,
            .server = false,
            .tcp = traffic::TcpSpec{},
            .streams = {stream}}));
        engine_->say_hello(1, 0);
        run_until([&] { return engine_->status(1).open_streams == 1; });
        EXPECT_EQ(peer_->connection.prefix().size(), traffic::TcpSpec::kCookieBytes);
        engine_->start(1, {.start = Moment::clock::now(), .edges = {}, .end = {}});
    }

    void finish()
    {
        engine_->finish(1);
        run_until([&] { return engine_->status(1).finished; });
    }

    std::unique_ptr<traffic::Traffic> engine_;
    std::unique_ptr<Peer> peer_;
    std::array<unsigned, kQueues> left_by_{};  // packets of ours

private:
    static inline int next_ = 0;
    std::array<rte_ring*, kQueues> rx_{}, tx_{};
    std::optional<ports::Port> port_;
    unsigned available_ = 0;
};

TEST_F(TcpPollers, AReceiverMovesToWhereItsAnswerCame)
{
    constexpr std::uint64_t kBytes = 1'000'000;
    open(Direction::kReceive);
    peer_->connection.offer(kBytes);
    run_until([&] { return engine_->status(1).received.value == kBytes; });
    finish();
    const auto trouble = engine_->trouble(1);
    EXPECT_EQ(trouble.handed_over, 2U) << "the answer, there and back";
    EXPECT_EQ(trouble.not_handed_over, 0U);
    EXPECT_EQ(left_by_[0], 1U) << "the SYN";
    EXPECT_GT(left_by_[1], 10U);
}

TEST_F(TcpPollers, ASenderStaysWhereItWasDealtTo)
{
    constexpr std::uint64_t kBytes = 1'000'000;
    open(Direction::kSend);
    run_until([&] { return peer_->connection.received() >= kBytes; });
    finish();
    const auto trouble = engine_->trouble(1);
    EXPECT_GT(trouble.handed_over, 2U) << "the answer, and acknowledgments";
    EXPECT_EQ(trouble.not_handed_over, 0U);
    EXPECT_GT(left_by_[0], 100U);
    EXPECT_EQ(left_by_[1], 0U);
}

}  // namespace
}  // namespace dpdkperf::engine
