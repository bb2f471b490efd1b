// Segment sizes: what the path takes, told by others or found out.
#include "sender_script.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

TEST(TcpSender, SplitsSlotsThatThePathNoLongerTakes)
{
    Script s = with_flight();
    s.connection().on_path_mtu(sequence_of(3 * kSlot, Script::kOurIsn + 1), 1'300, s.moment());
    s.after(milliseconds{20});
    const auto sent = s.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].seq, 0);
    EXPECT_EQ(sent[0].segment.packet_payload_bytes, 1'248U);
    EXPECT_EQ(s.info().path_mtu_bytes, 1'300U);
    EXPECT_EQ(s.info().cwnd_segments, 10U);  // nothing was lost to congestion
    s.after(milliseconds{50});
    s.in({.ack = 10 * kSlot});
    s.after(milliseconds{20});
    for (const Out& out : s.take()) {
        EXPECT_EQ(out.segment.payload_bytes, 1'248U);
    }
}

TEST(TcpSender, IgnoresAPathMtuThatCanNotBeTrue)
{
    Script s = with_flight();
    const auto at = [](Offset offset) { return sequence_of(offset, Script::kOurIsn + 1); };
    s.connection().on_path_mtu(at(0), 68, s.moment());
    s.connection().on_path_mtu(at(10 * kSlot), 1'300, s.moment());
    s.connection().on_path_mtu(at(-1), 1'300, s.moment());
    s.connection().on_path_mtu(at(0), 9'000, s.moment());
    EXPECT_EQ(s.info().path_mtu_bytes, 1'500U);
    EXPECT_EQ(s.info().rejected.icmp, 4U);
}

TEST(TcpSender, TakesOneMessageOfAFlightForAll)
{
    Script s = with_flight();
    for (Offset slot = 0; slot < 10; ++slot) {
        s.connection().on_path_mtu(
            sequence_of(slot * kSlot, Script::kOurIsn + 1), 1'300, s.moment());
    }
    EXPECT_EQ(s.info().path_mtu_bytes, 1'300U);
    EXPECT_EQ(s.info().rejected.icmp, 0U);
    EXPECT_EQ(s.info().cwnd_segments, 10U);
}

TEST(TcpSender, TellsOfDataThatCanNotBeDelivered)
{
    Script s = with_flight();
    const auto at = [](Offset offset) { return sequence_of(offset, Script::kOurIsn + 1); };
    s.connection().on_unreachable(at(5), EHOSTUNREACH, s.moment());
    s.connection().on_unreachable(at(10 * kSlot), ECONNREFUSED, s.moment());
    s.connection().on_unreachable(at(-1), ECONNREFUSED, s.moment());
    EXPECT_EQ(s.state(), State::kEstablished);
    EXPECT_EQ(s.info().unreachable, 1U);
    EXPECT_EQ(s.info().unreachable_error, EHOSTUNREACH);
    EXPECT_EQ(s.info().rejected.icmp, 2U);
    s.in({.ack = 10 * kSlot});
    EXPECT_FALSE(s.take().empty());
}

void wait_for_timeouts(Script& s, std::uint64_t count)
{
    const std::uint64_t before = s.info().timeouts;
    for (int i = 0; i < 10'000 && s.info().timeouts < before + count; ++i) {
        s.after(milliseconds{1});
    }
}

TEST(TcpSender, HalvesSegmentsThatVanishAndComesBack)
{
    Script s = with_flight({}, {}, 10 * kSlot);
    wait_for_timeouts(s, 2);
    EXPECT_EQ(s.info().segment_bytes, 724U);
    const auto sent = s.take();
    EXPECT_EQ(sent.back().segment.packet_payload_bytes, 724U);
    s.in({.ack = kSlot});
    for (const Out& out : s.take()) {  // do larger ones get through as well?
        EXPECT_EQ(out.segment.packet_payload_bytes, 1'448U);
    }
    wait_for_timeouts(s, 1);
    EXPECT_EQ(s.info().segment_bytes, 724U);  // no: one timeout is enough to see that
    s.in({.ack = 2 * kSlot});
    EXPECT_EQ(s.take().back().segment.packet_payload_bytes, 724U);
    s.in({.ack = 10 * kSlot});
    s.after(seconds{50});
    EXPECT_EQ(s.info().segment_bytes, 724U);
    s.after(seconds{10});
    EXPECT_EQ(s.info().segment_bytes, 1'448U);
}

TEST(TcpSender, TakesAnOutageForOneWhenLargeSegmentsPassAfterwards)
{
    Script s = with_flight();
    wait_for_timeouts(s, 2);
    ASSERT_EQ(s.info().segment_bytes, 724U);
    s.take();
    s.in({.ack = kSlot});
    s.after(milliseconds{50});
    s.in({.ack = 3 * kSlot});
    s.take();
    wait_for_timeouts(s, 1);
    EXPECT_EQ(s.info().segment_bytes, 1'448U);  // one timeout is nothing unusual
    for (const Out& out : s.take()) {
        EXPECT_EQ(out.segment.payload_bytes, 1'448U);
        EXPECT_EQ(out.segment.packet_payload_bytes, 1'448U);
    }
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
