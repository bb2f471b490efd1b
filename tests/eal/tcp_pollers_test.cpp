// A client over TCP whose packets come to another poller than the one that its stream was dealt to.

#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/tcp/connection.hpp"
#include "dpdkperf/tcp/content.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "dpdkperf/wire/tcp_view.hpp"
#include "ring_port.hpp"

#include <array>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace dpdkperf::engine {
namespace {

using traffic::Direction;

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
class TcpPollers : public RingPort {
protected:
    void SetUp() override
    {
        RingPort::SetUp();
        auto engine = create_engine({.eal = &test_eal(),
            .pollers = pollers(),
            .mac = kOurMac,
            .rx_checksum = RxChecksum::kVerify});
        ASSERT_TRUE(engine) << engine.error().message;
        engine_ = *std::move(engine);
        peer_ = std::make_unique<Peer>(pool(0), rx_[1]);
    }

    void TearDown() override
    {
        engine_.reset();
        RingPort::TearDown();
    }

    // The wire, until `done`.
    template <class Done>
    void run_until(Done done)
    {
        ASSERT_TRUE(eventually([&] {
            for (unsigned q = 0; q < kQueues; ++q) {
                while (rte_mbuf* mbuf = sent(q)) {
                    ++left_by_[q];
                    peer_->take(*mbuf);
                    rte_pktmbuf_free(mbuf);
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
