#pragma once

#include "dpdkperf/stats/reports.hpp"
#include "sums.hpp"

#include <cstdint>
#include <optional>
#include <string>

// The lines of the human output, each with its newline; pure. All texts and formats: iperf 3.12,
// src/iperf_locale.c. Blanks at the end of lines are iperf3's.
namespace dpdkperf::report {

// UDP: "Total Datagrams" at the end of the columns for a test that only sends, else "Jitter …".
std::string header(const stats::TestSettings& settings, bool sender_columns);
// TCP, of an interval: "Retr  Cwnd" where somebody sends. Of a summary: "Retr" if it is known.
std::string tcp_header(const stats::TestSettings& settings, bool sender_columns);
std::string tcp_summary_header(const stats::TestSettings& settings, bool retransmits_known);

// What stands in the brackets for a stream: "  5". A sum has "SUM".
std::string id_text(int socket);

// A stream, or a sum, in one interval. A sum has no congestion window.
std::string interval_line(const std::string& id, const Direction& direction,
    const stats::Transfer& transfer, bool omitted, RateUnit unit);

// The two halves of a stream, or of a sum, at the end.
std::string sender_line(
    const std::string& id, const Direction& direction, const Total& total, RateUnit unit);
// "        Sent  977 KByte /  977 KByte (100%) of in.bin": of what we have sent, or received.
std::string file_line(const Total& total);
std::string receiver_line(const std::string& id, const Direction& direction, const Total& total,
    double lost_percent, RateUnit unit);

// In place of a server's other half, `side`: "sender" or "receiver".
std::string not_available_line(const std::string& id, const char* side);

// Of one stream, although it begins with "[SUM]".
std::string out_of_order_line(const Direction& direction, const Total& total);

// `sender`: the role in which this side's CPU use is shown.
std::string cpu_line(const stats::Summary& summary, bool sender);

// TCP: the congestion control of the sides that are known.
std::string congestion_lines(const stats::Summary& summary, const Direction& direction);

std::string mss_line(const stats::TestSettings& settings);
std::string starting_line(const stats::TestSettings& settings);
std::string connected_line(const stats::Connection& connection);

// "[#3] " before each line of test 3, where several run at the same time; else empty.
std::string test_mark(const std::optional<std::uint64_t>& test);

std::string warning_line(const std::string& message);
// "dpdkperf: error - …"; interruptions and a client's leaving are no errors.
std::string error_line(const std::string& program, const std::string& message);

// That the figures are those of a link that was made bad on purpose, and at the end what it did.
std::string impairment_line(const stats::TestSettings& settings);
std::string impairment_line(const stats::Impaired& impaired);

}  // namespace dpdkperf::report
