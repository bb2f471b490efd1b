#include "account.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

using namespace std::chrono_literals;
using stats::Snapshot;

Snapshot at(std::chrono::nanoseconds time, std::uint64_t packets, std::int64_t lost = 0)
{
    Snapshot s;
    s.at = time;
    s.packets = packets;
    s.bytes = {packets * 100};
    s.lost = lost;
    s.out_of_order = lost / 2;
    s.arrived = packets - static_cast<std::uint64_t>(lost);
    s.jitter_s = 0.001 * static_cast<double>(packets);
    return s;
}

TEST(Account, IntervalsAreDifferencesOfConsecutiveSnapshots)
{
    Account account{std::vector<StreamName>{{5, true}, {7, false}}, false};
    const stats::EdgeSchedule edges{0s, 1s};
    const std::vector<Snapshot> first{at(1s, 10), at(1001ms, 20, 2)};
    const std::vector<Snapshot> second{at(2s, 15), at(2001ms, 50, 3)};
    ASSERT_TRUE(account.pass(edges.edge(1), first));
    const auto report = account.pass(edges.edge(2), second);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->omitted);
    ASSERT_EQ(report->streams.size(), 2U);
    EXPECT_EQ(report->streams[0].socket, 5);
    EXPECT_TRUE(report->streams[0].sender);
    EXPECT_EQ(report->streams[0].bytes.value, 500U);
    EXPECT_EQ(report->streams[0].packets, 5);
    EXPECT_EQ(report->streams[1].start, 1001ms);
    EXPECT_EQ(report->streams[1].end, 2001ms);
    EXPECT_EQ(report->streams[1].packets, 30);
    EXPECT_EQ(report->streams[1].lost, 1);
    EXPECT_DOUBLE_EQ(report->streams[1].jitter_s, 0.05);
}

Snapshot tcp_at(std::chrono::nanoseconds time, std::uint64_t retransmits, std::uint64_t rtt_us)
{
    Snapshot s = at(time, 100);
    s.retransmits = retransmits;
    s.rtt_us = rtt_us;
    s.cwnd_bytes = rtt_us * 1000;
    s.peer_window_bytes = 65'535;
    s.path_mtu_bytes = 1500;
    return s;
}

TEST(Account, OfATcpSenderHasRetransmissionsOfTheIntervalAndTheStateAtItsEnd)
{
    Account account{std::vector<StreamName>{{5, true}, {7, false}}, true};
    const stats::EdgeSchedule edges{0s, 1s};
    account.pass(edges.edge(1), std::vector{tcp_at(1s, 3, 40), at(1s, 0)});
    const auto report = account.pass(edges.edge(2), std::vector{tcp_at(2s, 5, 20), at(2s, 0)});
    ASSERT_TRUE(report && report->streams[0].tcp);
    EXPECT_FALSE(report->streams[1].tcp);  // a receiver
    EXPECT_EQ(report->streams[0].tcp->retransmits, 2);
    EXPECT_EQ(report->streams[0].tcp->cwnd_bytes, 20'000U);
    EXPECT_EQ(report->streams[0].tcp->rtt_us, 20U);

    account.end(std::vector{tcp_at(3s, 6, 30), at(3s, 0)}, 3s, 1s);
    const proto::Results results = account.results({});
    EXPECT_EQ(results.sender_has_retransmits, 1);
    EXPECT_EQ(results.streams[0].retransmits, 6);
    EXPECT_EQ(results.streams[1].retransmits, -1);

    proto::Results peer = results;
    peer.streams[1].retransmits = 9;
    const auto totals = account.totals(&peer);
    ASSERT_TRUE(totals[0].tcp && totals[1].tcp);
    EXPECT_EQ(totals[0].tcp->retransmits, 6);
    EXPECT_EQ(totals[0].tcp->max_cwnd_bytes, 40'000U);
    EXPECT_EQ(totals[0].tcp->max_rtt_us, 40U);
    EXPECT_EQ(totals[0].tcp->min_rtt_us, 20U);
    EXPECT_EQ(totals[0].tcp->mean_rtt_us, 30U);
    EXPECT_EQ(totals[1].tcp->retransmits, 9);
    EXPECT_FALSE(account.totals(nullptr)[1].tcp);  // not told
}

// Seen with iperf3 3.12: the state of a receiving socket, in a bidirectional test only.
TEST(Account, TellsTheStateOfATcpReceiverIfItSendsOnOthers)
{
    for (const bool bidirectional : {true, false}) {
        Account account{std::vector<StreamName>{{5, bidirectional}, {7, false}}, true};
        Snapshot last = tcp_at(1s, 0, 20);
        last.reordering = 9;
        last.health.timeouts = 4;
        account.end(std::vector{tcp_at(1s, 0, 20), last}, 1s, 1s);
        proto::Results peer = account.results({});
        peer.streams[1].retransmits = 9;
        const stats::StreamTotal total = account.totals(&peer)[1];
        ASSERT_TRUE(total.tcp);
        EXPECT_EQ(total.tcp->retransmits, 9);
        EXPECT_EQ(total.tcp->max_cwnd_bytes, bidirectional ? 20'000U : 0U);
        EXPECT_EQ(total.tcp->mean_rtt_us, bidirectional ? 20U : 0U);
        EXPECT_EQ(total.reordering, 9U);
        EXPECT_EQ(total.health.timeouts, 4U);
    }
}

TEST(Account, OfATcpSenderDoesNotCountTheOmittedPart)
{
    Account account{std::vector<StreamName>{{5, true}}, true};
    account.expect_omit();
    const stats::EdgeSchedule edges{1s, 1s};
    account.pass(edges.edge(1), std::vector{tcp_at(1s, 4, 10)});
    account.end(std::vector{tcp_at(2s, 7, 10)}, 2s, 1s);
    EXPECT_EQ(account.results({}).streams[0].retransmits, 3);
}

// The first interval may end before there is a sample of the RTT.
TEST(Account, NoRttIsNotTheShortest)
{
    Account account{std::vector<StreamName>{{5, true}}, true};
    const stats::EdgeSchedule edges{0s, 1s};
    account.pass(edges.edge(1), std::vector{tcp_at(1s, 0, 0)});
    account.pass(edges.edge(2), std::vector{tcp_at(2s, 0, 40)});
    account.end(std::vector{tcp_at(3s, 0, 20)}, 3s, 1s);
    EXPECT_EQ(account.totals(nullptr)[0].tcp->min_rtt_us, 20U);
}

// -O 2 -i 1: two omitted intervals, then times, bytes and packets begin anew, while the counters
// sent to the peer go on and say where omit ended.
TEST(Account, TheOmittedPartIsReportedAndNotCounted)
{
    Account account{std::vector<StreamName>{{5, false}}, false};
    account.expect_omit();
    const stats::EdgeSchedule edges{2s, 1s};
    EXPECT_TRUE(account.pass(edges.edge(1), std::vector{at(1s, 10, 4)})->omitted);
    EXPECT_FALSE(account.counting());
    EXPECT_TRUE(account.pass(edges.edge(2), std::vector{at(2s, 20, 6)})->omitted);
    EXPECT_TRUE(account.counting());
    const auto report = account.pass(edges.edge(3), std::vector{at(3s, 33, 7)});
    EXPECT_FALSE(report->omitted);
    EXPECT_EQ(report->streams[0].start, 0s);
    EXPECT_EQ(report->streams[0].end, 1s);
    EXPECT_EQ(report->streams[0].packets, 13);
    (void)account.end(std::vector{at(3500ms, 40, 8)}, 3500ms, 1s);

    const auto results = account.results({});
    EXPECT_EQ(results.sender_has_retransmits, -1);
    const auto& sent = results.streams.at(0);
    EXPECT_EQ(sent.bytes, 2000);
    EXPECT_EQ(sent.packets, 40);
    EXPECT_EQ(sent.omitted_packets, 20);
    EXPECT_EQ(sent.errors, 8);
    EXPECT_EQ(sent.omitted_errors, 6);
    EXPECT_DOUBLE_EQ(*sent.end_time_s, 1.5);

    const auto total = account.totals(nullptr).at(0);
    EXPECT_FALSE(total.sent);
    EXPECT_EQ(total.received->packets, 20);
    EXPECT_EQ(total.received->time, 1500ms);
    EXPECT_EQ(total.lost, 2);
    EXPECT_EQ(total.out_of_order, 1);
    EXPECT_EQ(total.arrived, 18U);
}

// -O 1.5 -i 1: the half second before the end of omit is in no interval (iperf 3.12).
TEST(Account, OmitMayEndWithinAnInterval)
{
    Account account{std::vector<StreamName>{{5, true}}, false};
    account.expect_omit();
    const stats::EdgeSchedule edges{1500ms, 1s};
    EXPECT_TRUE(account.pass(edges.edge(1), std::vector{at(1s, 10)}));
    EXPECT_FALSE(account.pass(edges.edge(2), std::vector{at(1500ms, 16)}));
    const auto report = account.pass(edges.edge(3), std::vector{at(2500ms, 30)});
    EXPECT_EQ(report->streams[0].packets, 14);
    EXPECT_EQ(account.omitted_sent().value, 1600U);
}

TEST(Account, TheRestIsReportedUnlessItIsShortAndEmpty)
{
    struct Case {
        std::chrono::nanoseconds end;
        std::uint64_t packets;
        bool reported;
    };
    const Case cases[] = {
        {1001ms, 10, false},
        {1099ms, 10, false},
        {1100ms, 10, true},
        {1001ms, 11, true},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.end.count());
        Account account{std::vector<StreamName>{{5, true}}, false};
        account.pass(stats::EdgeSchedule{0s, 1s}.edge(1), std::vector{at(1s, 10)});
        EXPECT_EQ(
            account.end(std::vector{at(c.end, c.packets)}, c.end, 1s).has_value(), c.reported);
    }
}

// What was received while we waited for late datagrams counts, the time we waited does not.
TEST(Account, EndsWhenTheTestEndedAndNotWhenItWasNoticed)
{
    Account account{std::vector<StreamName>{{5, false}}, false};
    (void)account.end(std::vector{at(1003ms, 100)}, 1s, 1s);
    EXPECT_EQ(account.totals(nullptr)[0].received->time, 1s);
}

TEST(Account, NoIntervalMeansNoIntervalReports)
{
    Account account{std::vector<StreamName>{{5, true}}, false};
    EXPECT_FALSE(account.end(std::vector{at(5s, 100)}, 5s, 0s));
}

proto::StreamResult result(int id, std::int64_t packets)
{
    proto::StreamResult r;
    r.id = id;
    r.packets = packets;
    r.bytes = packets * 100;
    r.errors = 5;
    r.jitter_s = 0.25;
    r.start_time_s = 0;
    r.end_time_s = 1.25;
    return r;
}

TEST(Account, JoinsWhatThePeerSaysByStreamId)
{
    Account account{std::vector<StreamName>{{5, true}, {7, false}}, false};
    (void)account.end(std::vector{at(1s, 10), at(1s, 20, 2)}, 1s, 1s);
    proto::Results peer;
    peer.streams = {result(3, 21), result(1, 9)};
    const auto totals = account.totals(&peer);
    EXPECT_EQ(totals[0].sent->packets, 10);
    EXPECT_EQ(totals[0].received->packets, 9);
    EXPECT_EQ(totals[0].received->time, 1250ms);
    EXPECT_EQ(totals[0].lost, 5);
    EXPECT_DOUBLE_EQ(totals[0].jitter_s, 0.25);
    EXPECT_EQ(totals[1].sent->packets, 21);
    EXPECT_EQ(totals[1].received->packets, 20);
    EXPECT_EQ(totals[1].lost, 2);
}

TEST(Account, StandsInForWhatOldPeersDoNotSay)
{
    Account account{std::vector<StreamName>{{5, true}, {7, true}}, false};
    account.expect_omit();
    const stats::EdgeSchedule edges{1s, 1s};
    account.pass(edges.edge(1), std::vector{at(1s, 4), at(1s, 4)});
    (void)account.end(std::vector{at(3s, 10), at(3s, 10)}, 3s, 1s);
    proto::Results peer;
    peer.streams = {result(1, 9), result(3, 9)};
    peer.streams[0].start_time_s.reset();  // before 3.2
    peer.streams[0].end_time_s.reset();
    peer.streams[1].omitted_errors = 1;  // from 3.14
    peer.streams[1].omitted_packets = 3;
    const auto totals = account.totals(&peer);
    EXPECT_EQ(totals[0].received->time, 2s);
    EXPECT_EQ(totals[0].received->packets, 5);  // our own omitted 4 stand in
    EXPECT_EQ(totals[1].received->packets, 6);
    EXPECT_EQ(totals[1].lost, 4);
}

TEST(Account, HostileTimesStayWithinReason)
{
    Account account{std::vector<StreamName>{{5, true}}, false};
    (void)account.end(std::vector{at(1s, 10)}, 1s, 1s);
    for (const double time : {-1e300, 1e300}) {
        proto::Results peer;
        peer.streams = {result(1, 9)};
        peer.streams[0].bytes = -1;
        peer.streams[0].end_time_s = time;
        const auto totals = account.totals(&peer);
        EXPECT_GE(totals[0].received->time, 0s);
        EXPECT_LE(totals[0].received->time, 1'000'000s);
        EXPECT_EQ(totals[0].received->bytes.value, 0U);
    }
}

}  // namespace
}  // namespace dpdkperf::control
