// What an engine makes of ICMP errors that quote its packets.

#include "dpdkperf/wire/tcp_view.hpp"
#include "icmp_message.hpp"
#include "tcp_engine_world.hpp"

#include <atomic>
#include <cerrno>

#include <rte_ethdev.h>

namespace dpdkperf::engine {
namespace {

constexpr std::uint32_t kNarrow = 1'400;  // MTU of the router's other link

// A router in front of the server's port: what is too large for it is dropped, and remembered.
class NarrowHop {
public:
    explicit NarrowHop(std::uint16_t port) : port_{port}
    {
        callback_ = rte_eth_add_rx_callback(port, 0, drop_large, this);
    }
    NarrowHop(const NarrowHop&) = delete;
    NarrowHop& operator=(const NarrowHop&) = delete;
    ~NarrowHop() { rte_eth_remove_rx_callback(port_, 0, callback_); }

    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint32_t> sequence{0};  // of the last

private:
    static std::uint16_t drop_large(std::uint16_t, std::uint16_t, rte_mbuf** mbufs,
        std::uint16_t count, std::uint16_t, void* self)
    {
        auto& hop = *static_cast<NarrowHop*>(self);
        std::uint16_t kept = 0;
        for (std::uint16_t i = 0; i < count; ++i) {
            if (mbufs[i]->pkt_len <= wire::kEthernetSize + kNarrow) {
                mbufs[kept++] = mbufs[i];
                continue;
            }
            const std::span frame{rte_pktmbuf_mtod(mbufs[i], const std::byte*), mbufs[i]->data_len};
            hop.sequence = wire::parse_tcp(frame, mbufs[i]->pkt_len).header.sequence;
            ++hop.dropped;
            rte_pktmbuf_free(mbufs[i]);
        }
        return kept;
    }

    std::uint16_t port_;
    const rte_eth_rxtx_callback* callback_;
};

class IcmpEngine : public TcpEngine {
protected:
    void tell_client(const wire::IcmpMessage& message)
    {
        client().take_icmp(1, message.bytes(), true);
    }

    static wire::IcmpMessage of_the_client(std::uint32_t sequence)
    {
        wire::IcmpMessage message;
        message.source = {kClient, 40'000};
        message.destination = {kServer, kPort};
        message.sequence = sequence;
        return message;
    }

    // Of a client whose server has no session, so that nobody has read it.
    std::uint32_t sequence_of_its_syn()
    {
        void* syn = nullptr;
        EXPECT_TRUE(eventually([&] { return rte_ring_dequeue(rings_[1], &syn) == 0; }));
        auto* const mbuf = static_cast<rte_mbuf*>(syn);
        const std::span frame{rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf->data_len};
        const std::uint32_t sequence = wire::parse_tcp(frame).header.sequence;
        rte_pktmbuf_free(mbuf);
        return sequence;
    }
};

TEST_P(IcmpEngine, SendsSmallerSegmentsWhereThePathIsNarrow)
{
    const NarrowHop hop{port(1)};
    const Directions one{Direction::kSend};
    auto of_client = spec_of(false, one);
    of_client.streams[0].max_datagrams = 100;
    open(of_client, spec_of(true, one));
    start();
    EXPECT_TRUE(eventually([&] {
        if (hop.dropped > 0) {
            auto message = of_the_client(hop.sequence);
            message.rest = kNarrow;
            tell_client(message);
        }
        return !client().status(1).sending;
    }));
    finish();
    const auto sent = client().snapshot(1, 0, stats::kFinalEdge);
    EXPECT_EQ(sent->bytes.value, 100 * kBlock);
    EXPECT_EQ(sent->path_mtu_bytes, kNarrow);
    EXPECT_GT(sent->retransmits, 0U);
    EXPECT_EQ(server().snapshot(1, 0, stats::kFinalEdge)->bytes.value, 100 * kBlock);
    close();
}

TEST_P(IcmpEngine, BelievesNoMessageThatQuotesWhatIsNotInFlight)
{
    open({Direction::kSend});
    start();
    constexpr int kForged = 20;
    for (int i = 0; i < kForged; ++i) {
        // A quarter of all sequence numbers apart: of four, at most one is in the window.
        auto message = of_the_client(static_cast<std::uint32_t>(i) << 30U);
        message.rest = 68;  // no path is that narrow
        tell_client(message);
    }
    auto of_another = of_the_client(0);
    of_another.source.port = 40'001;
    tell_client(of_another);
    of_another = of_the_client(0);
    of_another.destination.address = kClient;
    tell_client(of_another);
    EXPECT_TRUE(eventually([&] { return client().status(1).sent.value > 1'000'000; }));
    finish();
    const auto sent = client().snapshot(1, 0, stats::kFinalEdge);
    EXPECT_EQ(sent->health.bad_icmp, static_cast<std::uint64_t>(kForged));
    EXPECT_EQ(sent->path_mtu_bytes, 1'500U);
    EXPECT_EQ(sent->retransmits, 0U);
    expect_delivered({Direction::kSend});
    close();
}

TEST_P(IcmpEngine, EndsAConnectThatCanNotGetThere)
{
    ASSERT_TRUE(client().open(spec_of(false, {Direction::kSend})));
    client().say_hello(1, 0);
    auto message = of_the_client(sequence_of_its_syn());
    message.code = 1;
    ++message.sequence;
    tell_client(message);
    std::this_thread::sleep_for(10ms);
    EXPECT_FALSE(client().status(1).streams[0].refused);
    --message.sequence;
    tell_client(message);
    EXPECT_TRUE(eventually([&] { return client().status(1).streams[0].refused; }));
    EXPECT_EQ(client().status(1).streams[0].error, EHOSTUNREACH);
    client().close(1);
}

TEST_P(IcmpEngine, GoesOnWhenDataCouldNotBeDelivered)
{
    const NarrowHop hop{port(1)};
    const Directions one{Direction::kSend};
    auto of_client = spec_of(false, one);
    of_client.streams[0].max_datagrams = 1;
    open(of_client, spec_of(true, one));
    start();
    EXPECT_TRUE(eventually([&] { return hop.dropped > 0; }));
    auto message = of_the_client(hop.sequence);
    message.code = 1;
    tell_client(message);
    message = of_the_client(hop.sequence);
    message.rest = kNarrow;
    tell_client(message);
    EXPECT_TRUE(eventually([&] { return !client().status(1).sending; }));
    EXPECT_EQ(client().status(1).streams[0].error, 0);
    finish();
    EXPECT_EQ(client().snapshot(1, 0, stats::kFinalEdge)->health.unreachable, 1U);
    close();
}

INSTANTIATE_TEST_SUITE_P(
    Payloads, IcmpEngine, testing::Values(Payload::kCopied, Payload::kInPlace), name_of);

class IcmpUdpEngine : public IcmpEngine {
protected:
    traffic::SessionSpec udp_spec(Direction direction)
    {
        auto spec = spec_of(false, {direction});
        spec.tcp.reset();
        spec.streams[0].datagram = {1'000};
        return spec;
    }

    static wire::IcmpMessage of_datagram(std::uint8_t code, std::uint32_t mtu = 0)
    {
        auto message = of_the_client(0);
        message.protocol = wire::kProtocolUdp;
        message.code = code;
        message.rest = mtu;
        return message;
    }
};

TEST_P(IcmpUdpEngine, IsRefusedWhereNobodyListens)
{
    ASSERT_TRUE(client().open(udp_spec(Direction::kSend)));
    client().say_hello(1, 0);
    tell_client(of_datagram(1));  // a host may come back
    std::this_thread::sleep_for(10ms);
    EXPECT_FALSE(client().status(1).streams[0].refused);
    tell_client(of_datagram(3));
    EXPECT_TRUE(eventually([&] { return client().status(1).streams[0].refused; }));
    EXPECT_EQ(client().status(1).streams[0].error, ECONNREFUSED);
    client().close(1);
}

TEST_P(IcmpUdpEngine, LearnsThatItsDatagramsAreTooLarge)
{
    ASSERT_TRUE(client().open(udp_spec(Direction::kSend)));
    tell_client(of_datagram(4, 0));      // not told
    tell_client(of_datagram(4, 28));     // nothing fits
    tell_client(of_datagram(4, 1'028));  // ours do
    std::this_thread::sleep_for(10ms);
    EXPECT_EQ(client().status(1).streams[0].error, 0);
    tell_client(of_datagram(4, 1'027));
    EXPECT_TRUE(eventually([&] { return client().status(1).streams[0].error != 0; }));
    EXPECT_EQ(client().status(1).streams[0].error, EMSGSIZE);
    EXPECT_EQ(client().status(1).streams[0].max_datagram.value, 999U);
    client().close(1);
}

TEST_P(IcmpUdpEngine, SendsNothingLargeAsAReceiver)
{
    ASSERT_TRUE(client().open(udp_spec(Direction::kReceive)));
    tell_client(of_datagram(4, 600));
    std::this_thread::sleep_for(10ms);
    EXPECT_EQ(client().status(1).streams[0].error, 0);
    client().close(1);
}

INSTANTIATE_TEST_SUITE_P(Payloads, IcmpUdpEngine, testing::Values(Payload::kCopied), name_of);

}  // namespace
}  // namespace dpdkperf::engine
