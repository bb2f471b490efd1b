// Timeouts, probes of tails and of closed windows, and the user's patience.
#include "sender_script.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

Settings of_a_user_who_waits(milliseconds timeout)
{
    Settings settings;
    settings.user_timeout = timeout;
    return settings;
}

// RFC 5482. The timer of a doubled timeout would run out at 0.25 + 0.5 + 1 + 2 + 4 s.
TEST(TcpSender, GivesUpWhenTheUserDoes)
{
    Script s = with_flight({}, of_a_user_who_waits(seconds{3}));
    const auto begin = s.now();
    s.at(begin + milliseconds{2'990});
    EXPECT_EQ(s.state(), State::kEstablished);
    s.at(begin + milliseconds{3'230});  // it counts from the last loss probe
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kTimedOut);
}

TEST(TcpSender, EveryAckGivesTheUsersPatienceBack)
{
    Script s = with_flight({}, of_a_user_who_waits(seconds{3}));
    for (Offset slot = 1; slot <= 4; ++slot) {
        s.after(milliseconds{2'500});
        s.in({.ack = slot * kSlot});
    }
    EXPECT_EQ(s.state(), State::kEstablished);
    s.after(milliseconds{3'010});
    EXPECT_EQ(s.state(), State::kClosed);
}

TEST(TcpSender, AClosedWindowThatIsNotAnsweredIsGivenUpToo)
{
    Script s = with_flight({}, of_a_user_who_waits(seconds{3}));
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot, .window = 0});
    s.after(seconds{30});
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kTimedOut);
}

TEST(TcpSender, ProbesATailAfterTwoRoundTrips)
{
    Script s = with_flight({}, {}, 10 * kSlot);
    s.after(milliseconds{50});
    s.in({.ack = 8 * kSlot});  // the last two are lost
    const auto start = s.now();
    s.after(milliseconds{120});
    auto sent = s.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].seq, 9 * kSlot);
    EXPECT_NEAR(static_cast<double>((sent[0].at - start).count()), 108'000, 2'000);
    s.at(sent[0].at + milliseconds{50});
    s.in({.ack = 8 * kSlot, .sack = {{9 * kSlot, 10 * kSlot}}});
    s.after(milliseconds{20});
    sent = s.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].seq, 8 * kSlot);
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    EXPECT_LT(s.now() - start, milliseconds{250});
    EXPECT_EQ(s.info().timeouts, 0U);
}

// The peer's reader is late by some milliseconds, and with it the acknowledgment of a full window.
TEST(TcpSender, LeavesAPeerNearbyTimeToWakeUp)
{
    Script s;
    s.connect({.window = 14'480, .scale = 0}, microseconds{50});
    s.offer(kForever);
    s.after(microseconds{50});
    s.in({.ack = 10 * kSlot, .window = 14'480});
    s.take();
    s.after(milliseconds{7});
    EXPECT_TRUE(s.quiet());
    s.after(milliseconds{2});
    const auto sent = s.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent[0].segment.retransmission);
}

TEST(TcpSender, BacksOffAndTakesItBackWhenOnlyAcksWereLost)
{
    Script s = with_flight();
    const auto rto = s.info().rto;
    s.at(milliseconds{1'050});
    const auto sent = s.take();
    std::vector<microseconds> timeouts;
    for (const Out& out : sent) {
        if (out.segment.retransmission && out.seq == 0) {
            timeouts.push_back(out.at);
        }
    }
    ASSERT_GE(timeouts.size(), 2U);
    EXPECT_NEAR(static_cast<double>((timeouts[1] - timeouts[0]).count()),
        2.0 * static_cast<double>(rto.count()), 1'000.0);
    EXPECT_LE(s.info().cwnd_segments, 2U);
    // All data had arrived: the first acknowledgment echoes what was sent at the beginning.
    s.in({.ack = 10 * kSlot, .echo = s.our_timestamp() - 1'000});
    EXPECT_EQ(s.info().undone, 1U);
    EXPECT_GE(s.info().cwnd_segments, 10U);
}

TEST(TcpSender, AsksForAClosedWindowAtDoublingIntervals)
{
    Script s = with_flight();
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot, .window = 0});
    s.take();
    const auto start = s.now();
    s.after(seconds{10});
    const auto probes = s.take();
    ASSERT_GE(probes.size(), 5U);
    auto last = start;
    auto gap = probes[0].at - start;
    EXPECT_LT(gap, milliseconds{300});
    for (std::size_t i = 1; i < probes.size(); ++i) {
        EXPECT_NEAR(static_cast<double>((probes[i].at - probes[i - 1].at).count()),
            2.0 * static_cast<double>(gap.count()), 2'000.0);
        gap = probes[i].at - probes[i - 1].at;
        last = probes[i].at;
    }
    EXPECT_EQ(probes[0].seq, 10 * kSlot - 1);  // no data at first
    EXPECT_EQ(probes[0].end, probes[0].seq);
    EXPECT_EQ(probes.back().end - probes.back().seq, 1);  // then a byte
    EXPECT_EQ(s.state(), State::kEstablished);
    s.in({.ack = 10 * kSlot, .window = 512});
    s.after(milliseconds{60});
    EXPECT_FALSE(starts(s.take()).empty());
}

TEST(TcpSender, ProbesAClosedWindowForHoursIfItIsAnswered)
{
    Script s = with_flight();
    s.in({.ack = 10 * kSlot, .window = 0});
    for (int minute = 1; minute < 180; ++minute) {
        s.at(std::chrono::minutes{minute});
        s.in({.ack = 10 * kSlot, .window = 0});
    }
    EXPECT_EQ(s.state(), State::kEstablished);
    s.in({.ack = 10 * kSlot, .window = 512});
    s.after(milliseconds{100});
    EXPECT_GT(s.info().bytes_sent, static_cast<std::uint64_t>(11 * kSlot));
}

TEST(TcpSender, ProbesAClosedWindowWhateverCwndSays)
{
    Settings settings;
    settings.congestion = Algorithm::kFixed;
    settings.fixed_window_segments = 1;
    Script s = with_flight({}, settings);
    s.after(milliseconds{50});
    s.in({.ack = kSlot, .window = 0});
    s.after(seconds{30});
    EXPECT_GE(s.take().size(), 6U);
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
