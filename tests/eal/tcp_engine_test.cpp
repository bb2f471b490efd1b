#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/tcp/content.hpp"
#include "next_hop_watch.hpp"
#include "tcp_engine_world.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_tcp.h>

namespace dpdkperf::engine {
namespace {

// What arrives in the store from its first byte on, until `bytes` have; the store is smaller.
std::vector<std::byte> taken_from(StreamStore& store, std::size_t bytes)
{
    std::vector<std::byte> all;
    EXPECT_TRUE(eventually([&] {
        const auto piece = store.readable();
        all.insert(all.end(), piece.begin(), piece.end());
        store.take(piece.size());
        return all.size() >= bytes;
    }));
    return all;
}

constexpr std::size_t kStore = 1U << 18U;

std::vector<std::byte> some_file()
{
    std::vector<std::byte> file(3'000'001);
    for (std::size_t i = 0; i < file.size(); ++i) {
        file[i] = static_cast<std::byte>(i * 7 >> 3U ^ i >> 11U);
    }
    return file;
}

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

// Data and acknowledgements.
TEST_P(TcpEngine, GivesEveryLaterPacketTheNewNextHop)
{
    open({Direction::kSend, Direction::kReceive});
    start();
    const auto carried = [this] { return client().status(1).sent + client().status(1).received; };
    EXPECT_TRUE(eventually([&] { return carried().value > 10'000'000; }));
    const Mac moved{{2, 0, 0, 0, 0, 9}};
    NextHopWatch watch{port(1), moved};
    client().set_next_hop(1, moved);
    EXPECT_TRUE(eventually([&] { return watch.fresh > 5'000; }));
    finish();
    close();
    EXPECT_EQ(watch.stale, 0U);
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

TEST_P(ImpairedTcpEngine, KeepsEveryByte)
{
    const auto file = some_file();
    StreamStore store{kStore, traffic::TcpSpec::kCookieBytes};
    send(file, store);
    EXPECT_EQ(taken_from(store, file.size()), file);
    finish();
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

TEST_P(TcpEngine, DeniesAccessToAStreamWithAnotherCookie)
{
    ASSERT_TRUE(server().open(spec_of(true, {Direction::kSend})));
    auto of_client = spec_of(false, {Direction::kReceive});
    of_client.tcp = tcp_spec('y');
    ASSERT_TRUE(client().open(of_client));
    client().say_hello(1, 0);
    EXPECT_TRUE(eventually([&] { return server().status(1).streams[0].refused; }));
    EXPECT_EQ(server().status(1).open_streams, 0U);
    EXPECT_TRUE(eventually([&] { return client().status(1).streams[0].ended; }));
    EXPECT_EQ(client().status(1).received.value, 1U);  // ACCESS_DENIED
    client().finish(1);
    EXPECT_TRUE(eventually([&] { return !client().status(1).parting; }));
    EXPECT_EQ(client().snapshot(1, 0, stats::kFinalEdge)->health.inexact_reset, 0U);
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

// What comes with payload from the port of a client's first stream does not arrive: it connects,
// and says nothing.
std::uint16_t drop_payload(std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count,
    std::uint16_t, void* dropped)
{
    constexpr std::size_t kSourcePort = 34, kHeaders = 14 + 20 + 32;
    std::uint16_t kept = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto* const frame = rte_pktmbuf_mtod(mbufs[i], const std::byte*);
        const bool first = load_be<std::uint16_t>(frame + kSourcePort) == 40000;
        const bool syn = (frame[47] & std::byte{2}) != std::byte{0};
        if (first && !syn && mbufs[i]->pkt_len > kHeaders) {
            rte_pktmbuf_free(mbufs[i]);
            ++*static_cast<std::atomic<int>*>(dropped);
        } else {
            mbufs[kept++] = mbufs[i];
        }
    }
    return kept;
}

TEST_P(TcpEngine, ASilentStrangerLeavesItsPlaceWhenSomebodyElseComes)
{
    std::atomic<int> dropped{0};
    const auto* const callback = rte_eth_add_rx_callback(port(1), 0, drop_payload, &dropped);
    const Directions one{Direction::kSend};
    ASSERT_TRUE(server().open(spec_of(true, one)));
    ASSERT_TRUE(client().open(spec_of(false, one)));
    client().say_hello(1, 0);
    EXPECT_TRUE(eventually([&] { return dropped > 0; }));
    auto of_client = spec_of(false, one);
    of_client.id = 2;
    of_client.streams[0].local_port = 40001;
    ASSERT_TRUE(client().open(of_client));
    client().say_hello(2, 0);
    // Its first SYN finds no place; the next comes after a second.
    const Moment from = Moment::clock::now();
    while (server().status(1).open_streams == 0 && Moment::clock::now() - from < 5s) {
        std::this_thread::sleep_for(10ms);
    }
    ASSERT_EQ(server().status(1).open_streams, 1U);
    EXPECT_EQ(server().status(1).streams[0].remote_port, 40001);
    EXPECT_TRUE(eventually([&] { return client().status(1).streams[0].refused; })) << "not reset";
    client().close(2);
    EXPECT_EQ(rte_eth_remove_rx_callback(port(1), 0, callback), 0);
    close();
}

TEST_P(TcpEngine, TellsWhenBothSidesHaveClosed)
{
    const Directions one{Direction::kReceive};
    open(one);
    EXPECT_TRUE(client().status(1).parting);
    EXPECT_TRUE(server().status(1).parting);
    start();
    EXPECT_TRUE(eventually([&] { return client().status(1).received.value > 1'000'000; }));
    finish();
    EXPECT_TRUE(eventually([&] { return !client().status(1).parting; }));
    EXPECT_TRUE(eventually([&] { return !server().status(1).parting; }));
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

TEST_P(TcpEngine, CutsWhatTheDriverRefuses)
{
    const auto refuse = [](void*, rte_mbuf**, std::uint16_t) { return std::uint16_t{0}; };
    rte_eth_fp_ops[port(0)].tx_pkt_prepare = refuse;
    std::atomic<int> uncut{0};
    const auto look = [](std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count,
                          void* to) {
        for (std::uint16_t i = 0; i < count; ++i) {
            const bool tso = (mbufs[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
            *static_cast<std::atomic<int>*>(to) += tso ? 1 : 0;
        }
        return count;
    };
    const auto* const callback = rte_eth_add_tx_callback(port(0), 0, look, &uncut);
    ASSERT_NE(callback, nullptr);
    expect_transfer({Direction::kSend});
    EXPECT_EQ(rte_eth_remove_tx_callback(port(0), 0, callback), 0);
    EXPECT_EQ(uncut, 0);
}

// A file is nowhere where a NIC could read it, and no pattern that could stand for it.
TEST_P(TcpEngine, SendsAFileToItsEnd)
{
    const auto file = some_file();
    StreamStore store{kStore, traffic::TcpSpec::kCookieBytes};
    send(file, store);
    EXPECT_EQ(taken_from(store, file.size()), file);
    EXPECT_TRUE(eventually([&] { return !client().status(1).sending; }));
    finish();
    EXPECT_EQ(client().snapshot(1, 0, stats::kFinalEdge)->bytes.value, file.size());
    EXPECT_EQ(server().snapshot(1, 0, stats::kFinalEdge)->bytes.value, file.size());
    expect_healthy(client().trouble(1));
    expect_healthy(server().trouble(1));
    close();
}

TEST_P(TcpEngine, SendsNoMoreOfAFileThanWasAskedFor)
{
    const Directions one{Direction::kReceive};
    const auto file = some_file();
    StreamStore store{kStore, 0};
    auto of_client = spec_of(false, one);
    of_client.streams[0].store = &store;
    auto of_server = spec_of(true, one);
    of_server.tcp->file = file;
    of_server.streams[0].max_datagrams = 2;
    open(of_client, of_server);
    start();
    const auto taken = taken_from(store, 2 * kBlock);
    EXPECT_TRUE(std::ranges::equal(taken, std::span{file}.first(2 * kBlock)));
    finish();
    EXPECT_EQ(store.published(), 2 * kBlock);
    close();
}

// Segments that came uncut are chains.
TEST_P(TcpEngine, KeepsWhatArrivesInPieces)
{
    const Directions one{Direction::kReceive};
    StreamStore store{kStore, 0};
    auto of_client = spec_of(false, one);
    of_client.streams[0].store = &store;
    auto of_server = spec_of(true, one);
    of_server.streams[0].filler = traffic::Filler::kDigits;
    open(of_client, of_server);
    start();
    const auto taken = taken_from(store, 5'000'000);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        ASSERT_EQ(static_cast<char>(taken[i]), '0' + static_cast<char>(i % 10)) << i;
    }
    client().stop(1);
    server().stop(1);
    close();
}

// Whoever has another cookie may say whatever it likes.
TEST_P(TcpEngine, KeepsNothingOfAStranger)
{
    const Directions one{Direction::kSend};
    StreamStore store{kStore, traffic::TcpSpec::kCookieBytes};
    auto of_server = spec_of(true, one);
    of_server.streams[0].store = &store;
    auto of_stranger = spec_of(false, one);
    of_stranger.tcp = tcp_spec('y');
    ASSERT_TRUE(server().open(of_server));
    ASSERT_TRUE(client().open(of_stranger));
    client().say_hello(1, 0);
    client().start(1, {.start = Moment::clock::now(), .edges = {}, .end = {}});
    EXPECT_TRUE(eventually([&] {
        const auto stream = client().status(1).streams[0];
        return stream.refused || stream.ended;
    }));
    client().close(1);
    const auto file = some_file();
    auto of_client = spec_of(false, one);
    of_client.streams[0].local_port = 40001;
    of_client.tcp->file = file;
    ASSERT_TRUE(client().open(of_client));
    client().say_hello(1, 0);
    ASSERT_TRUE(eventually([&] { return server().status(1).open_streams == 1; }));
    EXPECT_TRUE(store.readable().empty());
    start();
    EXPECT_EQ(taken_from(store, file.size()), file);
    finish();
    close();
}

INSTANTIATE_TEST_SUITE_P(Payloads, TcpEngine,
    testing::Values(Payload::kCopied, Payload::kInPlace, Payload::kUncut), name_of);
INSTANTIATE_TEST_SUITE_P(
    Payloads, ImpairedTcpEngine, testing::Values(Payload::kCopied, Payload::kInPlace), name_of);

}  // namespace
}  // namespace dpdkperf::engine
