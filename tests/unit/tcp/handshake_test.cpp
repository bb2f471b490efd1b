// Cases 1 to 5, 21 and 29 of the engine's list (docs/tcp-engine.md).
#include "script.hpp"
#include "simulator.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

using wire::kTcpAck;
using wire::kTcpRst;
using wire::kTcpSyn;

TEST(TcpHandshake, RepeatsALostSynAfterOneAndThreeSeconds)
{
    Script s;
    s.start_connect();
    s.at(seconds{3});
    const auto syns = s.take();
    ASSERT_EQ(syns.size(), 3U);
    EXPECT_EQ(syns[0].at, seconds{0});
    EXPECT_EQ(syns[1].at, seconds{1});
    EXPECT_EQ(syns[2].at, seconds{3});
    for (const Out& syn : syns) {
        EXPECT_TRUE(syn.has(kTcpSyn));
        EXPECT_EQ(syn.seq, -1);
    }
    s.after(milliseconds{70});
    s.in({.seq = -1, .flags = kTcpSyn | kTcpAck});
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_EQ(s.info().rtt.count(), 0);  // no sample from a SYN that was repeated
    EXPECT_EQ(s.info().cwnd_segments, 1U);
}

TEST(TcpHandshake, KeepsTheInitialWindowAfterOneLostSyn)
{
    Script s;
    s.start_connect();
    s.at(seconds{1});
    s.in({.seq = -1, .flags = kTcpSyn | kTcpAck});
    EXPECT_EQ(s.info().cwnd_segments, 10U);
}

TEST(TcpHandshake, GivesUpAfterSixRepetitions)
{
    Script s;
    s.start_connect();
    s.at(seconds{300});
    EXPECT_EQ(s.take().size(), 7U);
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kTimedOut);
}

TEST(TcpHandshake, AnswersEveryRepeatedSynAck)
{
    Script s;
    s.connect();
    s.offer(37);
    s.take();
    for (int i = 0; i < 20; ++i) {
        s.in({.seq = -1, .flags = kTcpSyn | kTcpAck});
        const Out answer = s.next();
        EXPECT_TRUE(answer.is_ack());
        EXPECT_EQ(answer.ack, 0);
    }
    s.in({.ack = 37});
    EXPECT_EQ(s.connection().acknowledged(), 37U);
}

TEST(TcpHandshake, CompletesWhenTheLastAckIsLostAndDataFollows)
{
    Script s;
    s.start_listen();
    s.in({.seq = -1, .flags = kTcpSyn});
    const Out answer = s.next();
    EXPECT_TRUE(answer.has(kTcpSyn | kTcpAck));
    s.in({.length = 37});  // acknowledges the SYN as well
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_EQ(s.connection().received(), 37U);
}

TEST(TcpHandshake, OpensFromBothSidesAtOnce)
{
    Scenario scenario;
    scenario.simultaneous_open = true;
    scenario.bytes = {100'000, 50'000};
    for (LinkSettings& link : scenario.links) {
        link.delay = milliseconds{10};
    }
    Simulator simulator{scenario};
    const Outcome outcome = simulator.run();
    EXPECT_EQ(outcome.fault, "");
    EXPECT_EQ(outcome.info[0].bytes_received, 50'000U);
    EXPECT_EQ(outcome.info[1].bytes_received, 100'000U);
}

TEST(TcpHandshake, TakesTheOptionsOfAPeerAsTheyAre)
{
    struct Case {
        const char* what;
        std::optional<std::uint16_t> mss;
        std::optional<std::uint8_t> scale;
        std::uint32_t segment_bytes;
        std::uint64_t window_bytes;  // of a later window field of 1000
    };
    const Case cases[] = {
        {"ordinary", 1460, 7, 1448, 128'000},
        {"no window scale", 1460, std::nullopt, 1448, 1'000},
        {"scale of 15 counts as 14", 1460, 15, 1448, 16'384'000},
        {"no MSS", std::nullopt, 7, 524, 128'000},
        {"MSS of 0", 0, 7, 524, 128'000},
        {"MSS of 1", 1, 7, 36, 128'000},
        {"MSS of 47", 47, 7, 36, 128'000},
        {"MSS of 48", 48, 7, 36, 128'000},
        {"MSS of 88", 88, 7, 76, 128'000},
        {"MSS beyond our own", 9'000, 7, 1448, 128'000},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Script s;
        s.connect({.mss = c.mss, .scale = c.scale});
        s.in({.window = 1'000});
        EXPECT_EQ(s.info().segment_bytes, c.segment_bytes);
        EXPECT_EQ(s.info().peer_window_bytes, c.window_bytes);
        const std::uint16_t told = c.mss.value_or(0);
        EXPECT_EQ(s.info().rejected.tiny_mss, told > 0 && told < 48 ? 1U : 0U);
    }
}

TEST(TcpHandshake, ScalesOurWindowOnlyIfThePeerScalesToo)
{
    for (const bool scaling : {true, false}) {
        Script s;
        s.connect({.scale = scaling ? std::optional<std::uint8_t>{7} : std::nullopt});
        s.in({.length = 1'000});
        s.in({.seq = 1'000, .length = 1'000});
        EXPECT_EQ(s.next().segment.header.window, scaling ? 32'768U : 65'535U);  // 16 MB >> 9
    }
}

TEST(TcpHandshake, NeverScalesTheWindowOfASyn)
{
    Script s;
    s.connect({.window = 2'000, .scale = 10});
    s.offer(100'000);
    const auto flight = s.take();
    ASSERT_FALSE(flight.empty());
    EXPECT_LE(flight.back().end, 2'000);
    s.in({.ack = flight.back().end, .window = 64});
    EXPECT_EQ(s.info().peer_window_bytes, 65'536U);
}

TEST(TcpHandshake, ConnectsAtOnceWhereAnOldConnectionStoodInTheWay)
{
    Script s;
    s.start_connect();
    s.take();
    s.after(milliseconds{1});
    s.in({.seq = 5'000, .ack = 77'000});  // the challenge ACK of a connection we know nothing about
    const Out reset = s.next();
    EXPECT_TRUE(reset.has(kTcpRst));
    EXPECT_EQ(reset.seq, 77'000);
    const Out syn = s.next();
    EXPECT_TRUE(syn.has(kTcpSyn));
    EXPECT_EQ(syn.at, milliseconds{1});
    s.in({.seq = -1, .flags = kTcpSyn | kTcpAck});
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_LT(s.now(), milliseconds{1'200});
}

TEST(TcpHandshake, BelievesOnlyAResetThatAcknowledgesTheSyn)
{
    Script s;
    s.start_connect();
    s.in({.ack = 0, .flags = kTcpRst});
    s.in({.ack = 5, .flags = kTcpRst | kTcpAck});
    EXPECT_EQ(s.state(), State::kSynSent);
    s.in({.ack = 0, .flags = kTcpRst | kTcpAck});
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kRefused);
}

TEST(TcpHandshake, GoesBackToListenWhenASynIsWithdrawn)
{
    Script s;
    s.start_listen();
    s.in({.seq = -1, .flags = kTcpSyn});
    s.in({.seq = 0, .flags = kTcpRst});
    EXPECT_EQ(s.state(), State::kListen);
}

TEST(TcpHandshake, ChallengesASynOfAnyNumberOnceEstablished)
{
    for (const Offset at : {-1, 0, 1'000, 1'000'000'000, -2'000'000}) {
        for (const std::uint8_t flags : {kTcpSyn, static_cast<std::uint8_t>(kTcpSyn | kTcpAck)}) {
            Script s;
            s.connect();
            s.in({.seq = at, .flags = flags});
            const Out answer = s.next();
            EXPECT_TRUE(answer.is_ack()) << at;
            EXPECT_EQ(answer.ack, 0);
            EXPECT_EQ(s.state(), State::kEstablished);
        }
    }
}

TEST(TcpHandshake, TakesANewConnectionInTimeWait)
{
    Script s;
    s.accept();
    s.close();
    s.in({.ack = 1, .flags = kTcpAck | wire::kTcpFin});
    ASSERT_EQ(s.state(), State::kTimeWait);
    s.take();
    s.after(seconds{2});
    s.in({.seq = 500'000, .flags = kTcpSyn});
    EXPECT_EQ(s.state(), State::kSynReceived);
    EXPECT_TRUE(s.next().has(kTcpSyn | kTcpAck));
}

TEST(TcpHandshake, EndsWhenItsSynCanNotBeDelivered)
{
    Script s;
    s.start_connect();
    s.connection().on_unreachable(Script::kOurIsn, EHOSTUNREACH, s.moment());
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kUnreachable);
    EXPECT_EQ(s.info().unreachable_error, EHOSTUNREACH);
    s.take();
    s.after(seconds{10});
    EXPECT_TRUE(s.quiet());  // no SYN is repeated
}

TEST(TcpHandshake, GoesOnWhenAnotherSynCouldNotBeDelivered)
{
    Script s;
    s.connection().on_unreachable(Script::kOurIsn, ECONNREFUSED, s.moment());
    s.start_connect();
    for (const std::uint32_t off : {1U, 2U, 0x8000'0000U, ~0U}) {
        s.connection().on_unreachable(Script::kOurIsn + off, ECONNREFUSED, s.moment());
    }
    s.connection().on_path_mtu(Script::kOurIsn, 1'300, s.moment());  // a SYN fits every path
    EXPECT_EQ(s.state(), State::kSynSent);
    EXPECT_EQ(s.info().rejected.icmp, 5U);
    EXPECT_EQ(s.info().unreachable, 0U);
    EXPECT_EQ(s.info().path_mtu_bytes, 1'500U);
}

TEST(TcpHandshake, OfAServerIsNotTheNetworksToEnd)
{
    Script s;
    s.start_listen();
    s.in({.seq = -1, .flags = kTcpSyn});
    s.connection().on_unreachable(Script::kOurIsn, EHOSTUNREACH, s.moment());
    EXPECT_EQ(s.state(), State::kSynReceived);
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
