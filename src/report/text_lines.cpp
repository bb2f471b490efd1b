#include "text_lines.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace dpdkperf::report {

namespace {

// What the server says without "error - " (iperf 3.12, src/iperf_server_api.c).
constexpr std::array<std::string_view, 2> kPlainErrors{
    "the client has terminated", "the client has unexpectedly closed the connection"};

struct Span {
    std::chrono::nanoseconds start, end;
    PayloadBytes bytes;
};

// "[  5][TX-C]   0.00-1.00   sec   122 KBytes  1.00 Mbits/sec", the part all lines begin with.
std::string line_start(
    const std::string& id, const std::string& role, const Span& span, RateUnit unit)
{
    return print("[%s]%s %6.2f-%-6.2f sec  %ss  %ss/sec", id.c_str(), role.c_str(),
        std::abs(to_seconds(span.start)), to_seconds(span.end), bytes_text(span.bytes).c_str(),
        rate_text(rate_over(span.bytes, to_seconds(span.end - span.start)), unit).c_str());
}

std::string receiver_end(
    double jitter_s, std::int64_t lost, std::int64_t packets, double lost_percent)
{
    return print("  %5.3f ms  %lld/%lld (%.2g%%)  ", jitter_s * 1000.0,
        static_cast<long long>(lost), static_cast<long long>(packets), lost_percent);
}

}  // namespace

std::string header(const stats::TestSettings& settings, bool sender_columns)
{
    return std::string{settings.bidirectional ? "[ ID][Role]" : "[ ID]"} +
           " Interval           Transfer     Bitrate         " +
           (sender_columns ? "Total Datagrams\n" : "Jitter    Lost/Total Datagrams\n");
}

namespace {

std::string tcp_columns(const stats::TestSettings& settings, const char* more)
{
    return std::string{settings.bidirectional ? "[ ID][Role]" : "[ ID]"} +
           " Interval           Transfer     Bitrate" + more + '\n';
}

// Instead of retransmissions and congestion window.
constexpr const char* kNoColumns = "                  ";

std::string interval_columns(const stats::TcpState& tcp)
{
    const auto retransmits = static_cast<long long>(tcp.retransmits);
    if (tcp.cwnd_bytes == 0) {
        return print("  %3lld             ", retransmits);
    }
    return print("  %3lld   %ss       ", retransmits, bytes_text({tcp.cwnd_bytes}).c_str());
}

}  // namespace

std::string tcp_header(const stats::TestSettings& settings, bool sender_columns)
{
    return tcp_columns(settings, sender_columns ? "         Retr  Cwnd" : "");
}

std::string tcp_summary_header(const stats::TestSettings& settings, bool retransmits_known)
{
    return tcp_columns(settings, retransmits_known ? "         Retr" : "");
}

std::string id_text(int socket)
{
    return print("%3d", socket);
}

std::string interval_line(const std::string& id, const Direction& direction,
    const stats::Transfer& t, bool omitted, RateUnit unit)
{
    std::string line = line_start(id, direction.role, {t.start, t.end, t.bytes}, unit);
    if (!direction.udp) {
        line += t.tcp ? interval_columns(*t.tcp) : kNoColumns;
    } else if (t.sender) {
        // In a bidirectional test the count stands below the receivers' columns.
        const char* const gap = direction.role.empty() ? "  " : "            ";
        line += gap + std::to_string(t.packets) + "  ";
    } else {
        line += receiver_end(t.jitter_s, t.lost, t.packets, percent(t.lost, t.packets));
    }
    return line + (omitted ? "(omitted)\n" : "\n");
}

std::string sender_line(
    const std::string& id, const Direction& direction, const Total& t, RateUnit unit)
{
    const auto zero = std::chrono::nanoseconds{0};
    std::string columns = kNoColumns;
    if (direction.udp) {
        columns = receiver_end(0, 0, t.sent_packets, 0);
    } else if (t.tcp) {
        columns = print("  %3lld             ", static_cast<long long>(t.tcp->retransmits));
    }
    return line_start(id, direction.role, {zero, t.sent_time, t.sent}, unit) + columns + "sender\n";
}

std::string file_line(const Total& t)
{
    const PayloadBytes ours = t.sender ? t.sent : t.received;
    return "        Sent " + bytes_text(ours) + " / " + bytes_text({t.file->bytes}) +
           print(" (%d%%) of ", whole_percent(ours.value, t.file->bytes)) + t.file->name + '\n';
}

std::string receiver_line(const std::string& id, const Direction& direction, const Total& t,
    double lost_percent, RateUnit unit)
{
    const auto zero = std::chrono::nanoseconds{0};
    const std::string columns =
        direction.udp ? receiver_end(t.jitter_s, t.lost, t.received_packets, lost_percent)
                      : kNoColumns;
    return line_start(id, direction.role, {zero, t.received_time, t.received}, unit) + columns +
           "receiver\n";
}

std::string cpu_line(const stats::Summary& summary, bool sender)
{
    const stats::CpuUse local = summary.local;
    const stats::CpuUse remote = summary.remote.value_or(stats::CpuUse{});
    return print("CPU Utilization: local/%s %.1f%% (%.1f%%u/%.1f%%s), remote/%s %.1f%% "
                 "(%.1f%%u/%.1f%%s)\n",
        sender ? "sender" : "receiver", local.total, local.user, local.system,
        sender ? "receiver" : "sender", remote.total, remote.user, remote.system);
}

std::string congestion_lines(const stats::Summary& summary, const Direction& direction)
{
    const bool sends = direction.sender;
    const std::string& sender = sends ? summary.congestion : summary.peer_congestion;
    const std::string& receiver = sends ? summary.peer_congestion : summary.congestion;
    return (sender.empty() ? "" : "snd_tcp_congestion " + sender + '\n') +
           (receiver.empty() ? "" : "rcv_tcp_congestion " + receiver + '\n');
}

std::string mss_line(const stats::TestSettings& settings)
{
    return settings.mss_bytes != 0
               ? "      TCP MSS: " + std::to_string(settings.mss_bytes) + '\n'
               : "      TCP MSS: " + std::to_string(settings.control_mss_bytes) + " (default)\n";
}

std::string starting_line(const stats::TestSettings& s)
{
    std::string limit = std::to_string(s.duration.count()) + " second test";
    if (s.bytes != 0) {
        limit = std::to_string(s.bytes) + " bytes to send";
    } else if (s.blocks != 0) {
        limit = std::to_string(s.blocks) + " blocks to send";
    }
    return print("Starting Test: protocol: %s, %u streams, %llu byte blocks, omitting %lld "
                 "seconds, %s, tos %u\n",
        s.udp ? "UDP" : "TCP", s.streams, static_cast<unsigned long long>(s.block_bytes),
        static_cast<long long>(s.omit.count()), limit.c_str(), static_cast<unsigned>(s.tos));
}

std::string connected_line(const stats::Connection& c)
{
    return print("[%3d] local %s port %u connected to %s port %u\n", c.socket,
        to_string(c.local.address).c_str(), static_cast<unsigned>(c.local.port),
        to_string(c.remote.address).c_str(), static_cast<unsigned>(c.remote.port));
}

std::string not_available_line(const std::string& id, const char* side)
{
    return '[' + id + "] (" + side + " statistics not available)\n";
}

std::string out_of_order_line(const Direction& direction, const Total& t)
{
    return print("[SUM]%s %4.1f-%4.1f sec  %lld datagrams received out-of-order\n",
        direction.role.c_str(), 0.0, to_seconds(t.sent_time),
        static_cast<long long>(t.out_of_order));
}

std::string test_mark(const std::optional<std::uint64_t>& test)
{
    return test ? "[#" + std::to_string(*test) + "] " : "";
}

std::string warning_line(const std::string& message)
{
    return "warning: " + message + '\n';
}

std::string error_line(const std::string& program, const std::string& message)
{
    const bool plain =
        message.starts_with("interrupt - ") ||
        std::find(kPlainErrors.begin(), kPlainErrors.end(), message) != kPlainErrors.end();
    return program + (plain ? ": " : ": error - ") + message + '\n';
}

std::string impairment_line(const stats::TestSettings& settings)
{
    return warning_line("packets are impaired on purpose (--impair " + settings.impairment + ")");
}

std::string impairment_line(const stats::Impaired& impaired)
{
    const auto words = [](const stats::ImpairedPackets& packets) {
        const auto lost = std::to_string(packets.lost), twice = std::to_string(packets.twice);
        const auto late = std::to_string(packets.reordered);
        return lost + " lost, " + twice + " twice, " + late + " out of order" +
               (packets.overflown == 0 ? ""
                                       : ", " + std::to_string(packets.overflown) +
                                             " lost because too many were late");
    };
    return warning_line("packets were impaired on purpose: of those sent " +
                        words(impaired.transmitted) + "; of those received " +
                        words(impaired.received));
}

}  // namespace dpdkperf::report
