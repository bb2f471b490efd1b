// Cases 6 to 10 and 13 to 18 of the engine's list (docs/tcp-engine.md): exact exchanges, but those
// of timers (sender_timers_test.cpp) and of segment sizes (sender_size_test.cpp). The peer answers
// 50 ms after the data, with segments of 1448 bytes.
#include "sender_script.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

TEST(TcpSender, StartsWithTenSegmentsAndDoublesOnOneStretchAck)
{
    Script s;
    s.connect();
    s.offer(kForever);
    EXPECT_EQ(s.take().size(), 10U);
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    s.after(milliseconds{49});
    EXPECT_EQ(s.info().cwnd_segments, 20U);
    EXPECT_EQ(s.take().size(), 20U);
}

TEST(TcpSender, RepairsOneLossAtTheThirdSackAndReducesByCubicsBeta)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.ack = 2 * kSlot});
    s.take();
    std::vector<Offset> retransmitted;
    for (int slot = 3; slot < 10; ++slot) {
        s.after(microseconds{100});
        s.in({.ack = 2 * kSlot, .sack = {{3 * kSlot, (slot + 1) * kSlot}}});
        for (const Out& out : s.take()) {
            if (out.segment.retransmission) {
                retransmitted.push_back(out.seq);
                EXPECT_EQ(slot, 5);  // three segments above the hole
            }
        }
    }
    EXPECT_EQ(retransmitted, std::vector<Offset>{2 * kSlot});
    const std::uint32_t before = 12;  // 10, and one for each of the two acknowledged
    s.after(milliseconds{45});
    s.in({.ack = 10 * kSlot});
    s.in({.ack = static_cast<Offset>(s.info().bytes_sent)});
    EXPECT_EQ(s.info().ssthresh_segments, static_cast<std::uint32_t>(before * 0.7));
    EXPECT_EQ(s.info().timeouts, 0U);
    EXPECT_EQ(s.info().recoveries, 1U);
}

TEST(TcpSender, NeverSendsMoreInRecoveryThanWasDeliveredAndOne)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    s.after(milliseconds{49});
    s.take();  // 20 segments, 10 to 29
    s.after(milliseconds{1});
    s.in({.ack = 10 * kSlot, .sack = {{11 * kSlot, 14 * kSlot}}});
    EXPECT_LE(starts(s.take()).size(), 4U);
    for (int slot = 14; slot < 30; ++slot) {
        s.in({.ack = 10 * kSlot, .sack = {{11 * kSlot, (slot + 1) * kSlot}}});
        EXPECT_LE(starts(s.take()).size(), 2U);
    }
}

TEST(TcpSender, SendsALostRetransmissionAgainWithoutATimeout)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.sack = {{kSlot, 10 * kSlot}}});  // the first is lost, and its repetition too
    auto sent = s.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].seq, 0);
    s.after(milliseconds{10});
    sent = s.take();
    s.after(milliseconds{45});
    const Offset end = static_cast<Offset>(s.info().bytes_sent);
    ASSERT_GT(end, 10 * kSlot);
    s.in({.sack = {{kSlot, end}}});
    s.after(milliseconds{60});
    const auto again = starts(s.take());
    EXPECT_EQ(std::count(again.begin(), again.end(), 0), 1);
    EXPECT_EQ(s.info().timeouts, 0U);
}

TEST(TcpSender, TakesARecoveryBackWhenDuplicateSacksCoverIt)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.sack = {{kSlot, 4 * kSlot}}});
    ASSERT_EQ(s.info().recoveries, 1U);
    s.after(milliseconds{1});
    s.in({.ack = 10 * kSlot});  // the first was only late, and its repetition comes twice
    s.after(milliseconds{1});
    s.in({.ack = 10 * kSlot, .sack = {{0, kSlot}}});
    EXPECT_EQ(s.info().undone, 1U);
    EXPECT_GE(s.info().cwnd_segments, 10U);
}

TEST(TcpSender, DisbelievesSacksOfAPeerThatReneges)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.sack = {{kSlot, 10 * kSlot}}});
    s.take();
    s.after(milliseconds{50});
    s.in({.ack = kSlot});  // and the peer has dropped the rest
    s.after(seconds{2});
    s.take();
    EXPECT_EQ(s.info().reneged, 1U);
    EXPECT_EQ(s.info().segments_sacked, 0U);
    s.in({.ack = 2 * kSlot});
    s.after(milliseconds{50});
    EXPECT_FALSE(starts(s.take()).empty());
}

TEST(TcpSender, FallsBackToDuplicateAcksWithoutSackAndTimestamps)
{
    Script s = with_flight({.timestamps = false, .sack_permitted = false});
    const Offset slot = 1'460;
    s.after(milliseconds{50});
    s.in({.ack = 2 * slot});
    s.take();
    for (int i = 0; i < 2; ++i) {
        s.in({.ack = 2 * slot});
    }
    EXPECT_EQ(s.info().segments_retransmitted, 0U);
    s.in({.ack = 2 * slot});
    auto sent = s.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_TRUE(std::any_of(sent.begin(), sent.end(),
        [&](const Out& o) { return o.seq == 2 * slot && o.segment.retransmission; }));
    s.after(milliseconds{50});
    s.in({.ack = 6 * slot});  // a partial acknowledgment: the next is lost too
    sent = s.take();
    EXPECT_TRUE(std::any_of(sent.begin(), sent.end(),
        [&](const Out& o) { return o.seq == 6 * slot && o.segment.retransmission; }));
    EXPECT_EQ(s.info().timeouts, 0U);
}

TEST(TcpSender, SendsNothingNewIntoAWindowThatShrank)
{
    Script s = with_flight();
    s.after(milliseconds{10});
    s.in({.ack = kSlot, .window = 20});  // 2560 bytes: the right edge is now behind what was sent
    s.take();
    s.after(milliseconds{700});
    for (const Out& out : s.take()) {
        EXPECT_TRUE(out.segment.retransmission || out.segment.payload_bytes == 0);
        EXPECT_LE(out.end, 10 * kSlot);
    }
    s.in({.ack = 10 * kSlot, .window = 512});
    s.after(milliseconds{100});
    EXPECT_GT(s.info().bytes_sent, static_cast<std::uint64_t>(10 * kSlot));
}

TEST(TcpSender, FillsAWindowSmallerThanASegment)
{
    Script s;
    s.connect({.window = 1'000, .scale = std::nullopt});
    s.offer(10'000);
    Offset acked = 0;
    for (int i = 0; i < 10; ++i) {
        const auto sent = s.take();
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(sent[0].seq, acked);
        EXPECT_EQ(sent[0].segment.payload_bytes, 1'000U);
        acked = sent[0].end;
        s.after(milliseconds{50});
        s.in({.ack = acked, .window = 1'000});
    }
    EXPECT_EQ(s.connection().acknowledged(), 10'000U);
    EXPECT_EQ(s.info().timeouts, 0U);
}

TEST(TcpSender, WithdrawsWhatItHasNotSentAndRepairsWhatItHas)
{
    Script s = with_flight();
    s.connection().withdraw();
    s.offer(kForever);  // never again
    s.after(milliseconds{50});
    s.in({.ack = 0, .sack = {{kSlot, 10 * kSlot}}});
    const auto repaired = s.take();
    ASSERT_EQ(repaired.size(), 1U);
    EXPECT_EQ(repaired[0].seq, 0);
    EXPECT_TRUE(repaired[0].segment.retransmission);
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    s.after(seconds{10});
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_EQ(s.connection().acknowledged(), static_cast<std::uint64_t>(10 * kSlot));
    s.close();
    EXPECT_TRUE(s.next().has(wire::kTcpFin));
}

TEST(TcpSender, DoesNotGrowAWindowItDoesNotUse)
{
    Script s;
    s.connect();
    for (std::uint64_t i = 1; i <= 50; ++i) {
        s.offer(i * 2'896);
        s.after(milliseconds{50});
        s.in({.ack = static_cast<Offset>(i * 2'896)});
    }
    EXPECT_EQ(s.info().cwnd_segments, 10U);
}

TEST(TcpSender, IgnoresAReorderedWindowUpdate)
{
    Script s = with_flight();
    s.in({.seq = 200, .ack = 5 * kSlot, .length = 50, .window = 400});
    s.in({.seq = 100, .ack = 5 * kSlot, .length = 50, .window = 10});
    EXPECT_EQ(s.info().peer_window_bytes, 400U * 128U);
    s.in({.seq = 300, .ack = 5 * kSlot, .length = 50, .window = 10});
    EXPECT_EQ(s.info().peer_window_bytes, 10U * 128U);
}

TEST(TcpSender, AnswersAFloodOfLossesSlotBySlot)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    s.after(milliseconds{49});
    s.take();
    s.after(milliseconds{5});
    s.in({.ack = 10 * kSlot, .sack = {{27 * kSlot, 30 * kSlot}}});  // 17 of 20 are lost
    s.after(milliseconds{10});
    EXPECT_LE(starts(s.take()).size(), 4U);
}

TEST(TcpSender, GoesOnSendingWhileCwndShrinks)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    s.after(milliseconds{49});
    s.take();
    for (int slot = 11; slot < 20; ++slot) {  // the first of 20 is lost
        s.after(milliseconds{2});
        s.in({.ack = 10 * kSlot, .sack = {{11 * kSlot, (slot + 1) * kSlot}}});
    }
    s.after(milliseconds{2});
    const auto sent = starts(s.take());
    EXPECT_GE(std::count_if(sent.begin(), sent.end(), [](Offset o) { return o >= 30 * kSlot; }), 4);
}

TEST(TcpSender, WaitsAQuarterOfARoundTripForAReorderedSegment)
{
    Script s = with_flight({}, {}, 3 * kSlot);
    s.after(milliseconds{50});
    s.in({.sack = {{kSlot, 3 * kSlot}}});  // two above the hole: perhaps it is only late
    EXPECT_TRUE(s.quiet());
    const auto start = s.now();
    s.after(milliseconds{100});
    const auto sent = s.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].seq, 0);
    EXPECT_NEAR(static_cast<double>((sent[0].at - start).count()), 12'500, 1'000);
}

TEST(TcpSender, TakesASlotForDeliveredOnlyWhenAllOfItWasSacked)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.sack = {{kSlot + 100, 3 * kSlot - 1}}});
    EXPECT_EQ(s.info().segments_sacked, 0U);
    s.in({.sack = {{kSlot + 100, 3 * kSlot}}});
    EXPECT_EQ(s.info().segments_sacked, 1U);
}

TEST(TcpSender, TakesARoundTripTimeFromARetransmissionOnlyIfItsEchoIsBack)
{
    for (const bool timestamps : {false, true}) {
        Script s = with_flight({.timestamps = timestamps}, {}, kSlot);
        s.at(milliseconds{700});
        s.take();
        s.after(milliseconds{60});
        s.in({.ack = kSlot});
        EXPECT_EQ(s.info().rtt > milliseconds{50}, timestamps);
    }
}

TEST(TcpSender, ReducesOnceForAWindowOfEcnMarks)
{
    Settings settings;
    settings.ecn = true;
    Script s{settings};
    s.start_connect();
    EXPECT_TRUE(s.next().has(wire::kTcpEce | wire::kTcpCwr));
    s.after(milliseconds{50});
    s.in({.seq = -1, .flags = wire::kTcpSyn | wire::kTcpAck | wire::kTcpEce});
    s.offer(kForever);
    for (const Out& out : s.take()) {
        EXPECT_EQ(out.segment.ecn,
            out.segment.payload_bytes > 0 ? wire::Ecn::kCapable0 : wire::Ecn::kNotCapable);
    }
    s.after(milliseconds{50});
    for (int i = 1; i <= 5; ++i) {
        s.in({.ack = i * kSlot, .flags = wire::kTcpAck | wire::kTcpEce});
    }
    EXPECT_EQ(s.info().ecn_reductions, 1U);
    s.after(milliseconds{40});
    const auto sent = s.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_TRUE(sent[0].has(wire::kTcpCwr));
    EXPECT_EQ(s.info().ssthresh_segments, 7U);
    EXPECT_EQ(s.info().segments_retransmitted, 0U);
}

TEST(TcpSender, KeepsTheLastShortSegmentForCompanyUnlessToldOtherwise)
{
    for (const bool no_delay : {false, true}) {
        Settings settings;
        settings.no_delay = no_delay;
        Script s{settings};
        s.connect();
        s.offer(kSlot);
        s.offer(kSlot + 100);
        EXPECT_EQ(s.take().size(), no_delay ? 2U : 1U);
        s.in({.ack = kSlot});
        EXPECT_EQ(s.take().size(), no_delay ? 0U : 1U);
    }
}

TEST(TcpSender, LeavesCwndAloneWhileTheDeviceIsInTheWay)
{
    Script s;
    s.connect({.timestamps = false});
    Connection& connection = s.connection();
    connection.offer(kForever);
    Moment now = s.moment();
    Arrival ack;
    ack.header.sequence = Script::kPeerIsn + 1;
    ack.header.acknowledgment = Script::kOurIsn + 1;
    ack.header.flags = wire::kTcpAck;
    ack.header.window = 65'535;
    Segment segment;
    while (connection.next_segment(now, segment)) {
        ack.header.acknowledgment += segment.payload_bytes;
    }
    // From now on it takes ten segments for each acknowledgment and is not asked for more.
    for (int round = 0; round < 100; ++round) {
        now += milliseconds{1};
        connection.on_segment(ack, now);
        for (std::uint32_t taken = 0; taken < 10 * 1460 && connection.next_segment(now, segment);) {
            taken += segment.payload_bytes;
            ack.header.acknowledgment += segment.payload_bytes;
        }
    }
    EXPECT_EQ(connection.info(now).cwnd_bytes, 20U * 1460);
}

TEST(TcpSender, TellsWhoHeldItBack)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot, .window = 0});
    s.after(milliseconds{100});
    const Info info = s.info();
    EXPECT_NEAR(static_cast<double>(info.limited_by_cwnd.count()), 50'000, 1'000);
    EXPECT_NEAR(static_cast<double>(info.limited_by_peer_window.count()), 100'000, 1'000);
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
