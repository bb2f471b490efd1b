// Cases 19 to 25 of the engine's list (docs/tcp-engine.md).
#include "random.hpp"
#include "received_ranges.hpp"
#include "script.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

using wire::kTcpAck;
using wire::kTcpFin;
using wire::kTcpRst;

constexpr std::uint32_t kFull = 1'448;

Script connected(Settings settings = {})
{
    Script s{settings};
    s.connect();
    return s;
}

TEST(TcpReceiver, AcknowledgesEverySecondFullSegmentAtOnce)
{
    Script s = connected();
    s.in({.seq = 0, .length = kFull});
    EXPECT_TRUE(s.quiet());
    s.in({.seq = kFull, .length = kFull});
    EXPECT_EQ(s.next().ack, 2 * kFull);
}

TEST(TcpReceiver, DelaysTheAckOfALoneSegmentShortlyAtFirst)
{
    Script s = connected();
    s.in({.seq = 0, .length = 100});
    s.after(milliseconds{2});
    EXPECT_EQ(s.next().at, milliseconds{51});
    for (Offset i = 1; i < 20; ++i) {
        s.in({.seq = i * 100, .length = 100});
        s.after(milliseconds{50});
    }
    s.take();
    s.in({.seq = 2'000, .length = 100});
    const auto start = s.now();
    s.after(milliseconds{50});
    EXPECT_EQ(s.next().at - start, milliseconds{40});
}

TEST(TcpReceiver, ReportsHolesMostRecentFirstAndDuplicatesBeforeThem)
{
    Script s = connected();
    s.in({.seq = 1'000, .length = 1'000});
    EXPECT_EQ(s.next().sack, (std::vector<Range>{{1'000, 2'000}}));
    s.in({.seq = 3'000, .length = 1'000});
    EXPECT_EQ(s.next().sack, (std::vector<Range>{{3'000, 4'000}, {1'000, 2'000}}));
    s.in({.seq = 1'000, .length = 1'000});
    EXPECT_EQ(s.next().sack, (std::vector<Range>{{1'000, 2'000}, {1'000, 2'000}, {3'000, 4'000}}));
    s.in({.seq = 0, .length = 1'000});
    const Out filled = s.next();
    EXPECT_EQ(filled.ack, 2'000);
    EXPECT_EQ(filled.sack, (std::vector<Range>{{3'000, 4'000}}));
    s.in({.seq = 500, .length = 200});
    EXPECT_EQ(s.next().sack.front(), (Range{500, 700}));
}

TEST(TcpReceiver, DropsASegmentOfAnEarlierWrapByItsTimestamp)
{
    Script s = connected();
    s.in({.seq = 0, .length = kFull});
    s.in({.seq = kFull, .length = kFull});
    s.take();
    const auto before = s.connection().received();
    s.in({.seq = 2 * kFull, .length = kFull, .value = 0xffff'fe00});
    EXPECT_EQ(s.connection().received(), before);
    EXPECT_EQ(s.info().rejected.old_timestamp, 1U);
    EXPECT_EQ(s.take().size(), 1U);
}

TEST(TcpReceiver, RefusesASegmentWithoutTheAgreedTimestamp)
{
    Script s = connected();
    s.in({.seq = 0, .length = 100, .timestamps = false});
    EXPECT_EQ(s.connection().received(), 0U);
    EXPECT_EQ(s.info().rejected.missing_timestamp, 1U);
}

TEST(TcpReceiver, SurvivesTenThousandResetsThatOnlyComeClose)
{
    Script s = connected();
    for (int i = 1; i <= 10'000; ++i) {
        s.after(milliseconds{1});
        s.in({.seq = i * 13, .flags = kTcpRst});
    }
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_LE(s.take().size(), 31U);  // ten in five seconds
    s.in({.seq = 0, .flags = kTcpRst});
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kReset);
}

TEST(TcpReceiver, IgnoresAcksAndSacksOfWhatWasNotSent)
{
    Script s = connected();
    s.offer(14'480);
    s.take();
    s.after(milliseconds{50});
    const Info before = s.info();
    s.in({.ack = 20'000});
    s.in({.ack = -10'000'000});
    EXPECT_EQ(s.info().rejected.ack_of_unsent, 1U);
    EXPECT_EQ(s.info().rejected.ack_too_old, 1U);
    EXPECT_EQ(s.take().size(), 2U);
    s.in({.ack = 0, .sack = {{10'000, 20'000}}});
    s.in({.ack = 0, .sack = {{2'896, 1'448}}});
    s.in({.ack = 0, .sack = {{1'500, 2'000}, {1'448, 2'896}, {1'600, 1'700}}});
    s.in({.ack = 0, .sack = {{0x7fff'0000, 0x7fff'f000}}});
    EXPECT_EQ(s.info().rejected.sack_block, 3U);
    EXPECT_EQ(s.info().segments_sacked, 1U);  // of the nested blocks, the one that holds a slot
    EXPECT_EQ(s.info().cwnd_segments, before.cwnd_segments);
    s.in({.ack = 14'480});
    EXPECT_EQ(s.connection().acknowledged(), 14'480U);
}

TEST(TcpReceiver, SpendsNoMemoryOnAFloodOfHoles)
{
    Script s = connected();
    for (Offset i = 1; i <= 10'000; ++i) {
        s.in({.seq = 2 * i, .length = 1});
    }
    const Info info = s.info();
    EXPECT_EQ(info.rejected.no_room, 10'000U - ReceivedRanges::kMax);
    EXPECT_LE(s.take().size(), 10'000U);
    s.in({.seq = 0, .length = 2});
    EXPECT_EQ(s.connection().received(), 3U);  // and the first of the islands
    s.in({.seq = 3, .length = 5'000});
    EXPECT_EQ(s.connection().received(), 5'003U);
}

TEST(TcpReceiver, NeverGivesUpWhatItHasReported)
{
    Script s = connected();
    constexpr auto kIslands = static_cast<Offset>(ReceivedRanges::kMax) + 72;
    for (Offset i = kIslands; i >= 1; --i) {
        s.in({.seq = 2 * i, .length = 1});
    }
    s.in({.seq = 0, .length = 2 * kIslands});
    EXPECT_EQ(s.connection().received(), 2U * kIslands + 1U);  // with the island that came first
}

TEST(TcpReceiver, CountsAFinWhenItsTurnHasCome)
{
    Script s = connected();
    s.in({.seq = 1'000, .length = 500, .flags = kTcpAck | kTcpFin});
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_EQ(s.next().ack, 0);
    s.in({.seq = 0, .length = 1'000});
    EXPECT_EQ(s.state(), State::kCloseWait);
    EXPECT_EQ(s.next().ack, 1'501);
    EXPECT_EQ(s.connection().received(), 1'500U);
    s.in({.seq = 1'501, .length = 100});
    EXPECT_EQ(s.connection().received(), 1'500U);
    EXPECT_GE(s.info().rejected.after_fin, 1U);
}

// A segment at random, most often the next one of the stream.
In random_segment(Random& random, Script& s)
{
    In in;
    in.seq = static_cast<Offset>(s.connection().received());
    if (random.chance(0.1)) {
        in.seq += static_cast<Offset>(random.below(6'000)) - 3'000;
    }
    in.length = random.chance(0.8) ? kFull : static_cast<std::uint32_t>(random.below(3'000));
    in.ack = static_cast<Offset>(s.info().bytes_sent);
    if (random.chance(0.1)) {
        in.ack -= static_cast<Offset>(random.below(2'000));
    }
    in.window = static_cast<std::uint16_t>(500 + random.below(300));
    if (random.chance(0.1)) {
        in.flags |= wire::kTcpPsh;
    }
    if (random.chance(0.05)) {
        const auto clock = static_cast<std::uint32_t>(s.now().count() / 1'000);
        in.value = 0xffff'ff00U + clock - static_cast<std::uint32_t>(random.below(3'000));
    }
    return in;
}

// The same segments, marked as urgent, which changes nothing but that they are not predicted.
TEST(TcpReceiver, TreatsPredictedSegmentsAsAllOthers)
{
    Random random{7};
    Script predicted = connected();
    Script plain = connected();
    for (int i = 0; i < 20'000; ++i) {
        In in = random_segment(random, predicted);
        const auto wait = microseconds{random.chance(0.9) ? 10 : random.below(60'000)};
        const std::uint64_t offer = predicted.info().bytes_sent + random.below(3'000);
        const bool sends = random.chance(0.02);
        for (Script* s : {&predicted, &plain}) {
            s->in(in);
            in.flags |= wire::kTcpUrg;
            if (sends) {
                s->offer(offer);
            }
            s->after(wait);
        }
        const auto a = predicted.take();
        const auto b = plain.take();
        ASSERT_EQ(a.size(), b.size()) << i;
        for (std::size_t k = 0; k < a.size(); ++k) {
            ASSERT_EQ(a[k].at, b[k].at) << i;
            ASSERT_EQ(a[k].seq, b[k].seq) << i;
            ASSERT_EQ(a[k].ack, b[k].ack) << i;
            ASSERT_EQ(a[k].sack, b[k].sack) << i;
            ASSERT_EQ(a[k].segment.header.options.timestamps->echo,
                b[k].segment.header.options.timestamps->echo);
        }
        const Info x = predicted.info();
        const Info y = plain.info();
        ASSERT_EQ(x.bytes_received, y.bytes_received) << i;
        ASSERT_EQ(x.data_segments_received, y.data_segments_received) << i;
        ASSERT_EQ(x.peer_window_bytes, y.peer_window_bytes) << i;
        ASSERT_EQ(x.rejected.old_timestamp, y.rejected.old_timestamp) << i;
    }
    EXPECT_GT(predicted.info().bytes_received, 5'000'000U);
}

TEST(TcpReceiver, ClosesFromBothSidesAtOnce)
{
    Script s = connected();
    s.close();
    EXPECT_TRUE(s.next().has(kTcpFin));
    s.in({.seq = 0, .ack = 0, .flags = kTcpAck | kTcpFin});
    EXPECT_EQ(s.state(), State::kClosing);
    EXPECT_EQ(s.next().ack, 1);
    s.in({.seq = 1, .ack = 1});
    EXPECT_EQ(s.state(), State::kTimeWait);
    s.after(seconds{61});
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kDone);
}

TEST(TcpReceiver, RepeatsALostFinUntilItIsAcknowledged)
{
    Script s = connected();
    s.offer(100);
    s.close();
    s.at(seconds{3});
    const auto sent = s.take();
    ASSERT_GE(sent.size(), 4U);
    EXPECT_EQ(sent[1].seq, 100);
    for (std::size_t i = 1; i < sent.size(); ++i) {
        EXPECT_TRUE(sent[i].has(kTcpFin));
        EXPECT_EQ(sent[i].end, 101);
    }
    s.in({.ack = 101});
    EXPECT_EQ(s.state(), State::kFinWait2);
    EXPECT_EQ(s.connection().acknowledged(), 100U);
}

TEST(TcpReceiver, AnswersARepeatedFinInTimeWait)
{
    Script s = connected();
    s.close();
    s.in({.seq = 0, .ack = 1, .flags = kTcpAck | kTcpFin});
    ASSERT_EQ(s.state(), State::kTimeWait);
    s.take();
    s.after(seconds{50});
    s.in({.seq = 0, .ack = 1, .flags = kTcpAck | kTcpFin});
    EXPECT_EQ(s.next().ack, 1);
    s.after(seconds{50});
    EXPECT_EQ(s.state(), State::kTimeWait);  // it has begun anew
}

TEST(TcpReceiver, AnswersTheLastFinBeforeItIsGone)
{
    Script s = connected();
    s.in({.seq = 0, .flags = kTcpAck | kTcpFin});
    s.close();
    EXPECT_EQ(s.state(), State::kLastAck);
    s.in({.seq = 1, .ack = 1});
    EXPECT_EQ(s.state(), State::kClosed);
    EXPECT_EQ(s.info().close_reason, CloseReason::kDone);
}

TEST(TcpReceiver, KeepsThePrefixHoweverItArrives)
{
    const std::string cookie = "abcdefghijklmnopqrstuvwxyz0123456789\0";
    const auto* bytes = reinterpret_cast<const std::byte*>(cookie.data());
    Connection c{{.segments_in_flight = 64}};
    Settings settings;
    settings.kept_prefix_bytes = 36;
    const Moment now{seconds{1}};
    c.listen(settings, now);
    Arrival a;
    a.header.flags = wire::kTcpSyn;
    a.header.sequence = 99;
    c.on_segment(a, now);
    a.header.flags = kTcpAck;
    a.header.acknowledgment = 1;
    const auto arrive = [&](std::uint32_t at, std::uint32_t length) {
        a.header.sequence = 100 + at;
        a.payload_bytes = length;
        a.head = {bytes + at, std::min<std::size_t>(length, 36 - at)};
        c.on_segment(a, now);
    };
    arrive(0, 0);
    arrive(20, 16);
    EXPECT_TRUE(c.prefix().empty());
    arrive(3, 10);
    arrive(0, 5);
    EXPECT_EQ(c.prefix().size(), 13U);
    arrive(10, 20);
    ASSERT_EQ(c.prefix().size(), 36U);
    EXPECT_EQ(std::memcmp(c.prefix().data(), cookie.data(), 36), 0);
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
