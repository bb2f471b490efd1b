// Lines that iperf 3.12 has printed in TCP tests over a veth pair, and the numbers behind them.

#include "text_lines.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;

constexpr RateUnit kUnit = RateUnit::kAdaptiveBits;
constexpr std::uint64_t kTransferred = 12'582'912;  // 96 blocks of 128 KB: "12.0 MBytes"

stats::Transfer transfer(bool sender)
{
    stats::Transfer t;
    t.socket = 5;
    t.sender = sender;
    t.end = 1s;
    t.bytes = {kTransferred};
    if (sender) {
        t.tcp = stats::TcpState{.retransmits = 0, .cwnd_bytes = 377'856};
    }
    return t;
}

Direction direction(bool sender, const char* role = "")
{
    return {sender, role, false, false};
}

TEST(TcpLines, OfAnInterval)
{
    EXPECT_EQ(interval_line(id_text(5), direction(true), transfer(true), false, kUnit),
        "[  5]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec    0    369 KBytes       \n");
    EXPECT_EQ(interval_line(id_text(5), direction(false), transfer(false), true, kUnit),
        "[  5]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec                  (omitted)\n");
    EXPECT_EQ(interval_line(id_text(7), direction(false, "[RX-C]"), transfer(false), false, kUnit),
        "[  7][RX-C]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec                  \n");
}

TEST(TcpLines, OfASumHaveNoWindow)
{
    stats::Transfer sum = transfer(true);
    sum.tcp = stats::TcpState{.retransmits = 0};
    EXPECT_EQ(interval_line("SUM", direction(true), sum, false, kUnit),
        "[SUM]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec    0             \n");
}

TEST(TcpLines, OfTheEnd)
{
    Total total;
    total.sent_time = total.received_time = 1s;
    total.sent = total.received = {kTransferred};
    EXPECT_EQ(sender_line(id_text(5), direction(true), total, kUnit),
        "[  5]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec                  sender\n");
    total.tcp = stats::TcpTotal{};
    EXPECT_EQ(sender_line(id_text(5), direction(true), total, kUnit),
        "[  5]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec    0             sender\n");
    EXPECT_EQ(receiver_line(id_text(5), direction(true), total, 0, kUnit),
        "[  5]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec                  receiver\n");
}

TEST(TcpLines, OfTheColumns)
{
    stats::TestSettings settings;
    settings.udp = false;
    EXPECT_EQ(tcp_header(settings, true),
        "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd\n");
    EXPECT_EQ(tcp_header(settings, false), "[ ID] Interval           Transfer     Bitrate\n");
    EXPECT_EQ(tcp_summary_header(settings, true),
        "[ ID] Interval           Transfer     Bitrate         Retr\n");
    settings.bidirectional = true;
    EXPECT_EQ(tcp_header(settings, true),
        "[ ID][Role] Interval           Transfer     Bitrate         Retr  Cwnd\n");
}

}  // namespace
}  // namespace dpdkperf::report
