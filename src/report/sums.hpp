#pragma once

#include "dpdkperf/stats/reports.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Sums over streams, by iperf3's rules and in iperf3's order (iperf 3.12, src/iperf_api.c,
// iperf_print_intermediate and iperf_print_results). Pure.
namespace dpdkperf::report {

// One direction of a test, as this side sees it.
struct Direction {
    bool sender = false;   // we send
    std::string role;      // "[TX-C]"; empty unless bidirectional
    bool reverse = false;  // server to client in a bidirectional test: named so in JSON
    bool udp = true;
};

// In the order in which they are printed: from the client to the server first.
std::vector<Direction> directions(const stats::TestSettings& settings);

// Adds up the streams of one direction. Times are those of the first stream of all; jitter is the
// mean. `streams`: per direction.
stats::Transfer sum_of(const stats::IntervalReport& report, bool sender, std::uint32_t streams);

// Both halves of a stream or of a sum at the end. A half that is unknown is 0.
struct Total {
    int socket = 0;
    bool sender = false;
    std::chrono::nanoseconds sent_time{0}, received_time{0};
    std::chrono::nanoseconds own_time{0};  // that of these two which we have measured
    PayloadBytes sent, received;
    std::int64_t sent_packets = 0, received_packets = 0;
    std::int64_t packets = 0;  // sent, or if that is unknown received
    std::int64_t lost = 0, out_of_order = 0;
    double jitter_s = 0;
    std::optional<stats::TcpTotal> tcp = std::nullopt;
    std::optional<stats::DiskFile> file = std::nullopt;
};

// The streams of one direction. Times of all are those of the first stream of the test.
std::vector<Total> totals(const stats::Summary& summary, bool sender);
Total sum_of(const std::vector<Total>& totals, std::uint32_t streams);

// Datagrams that arrived, duplicates not counted; by a peer's account, which has bytes only, as
// many as fit into these. Empty if nobody told. `block`: payload of a datagram.
std::optional<std::int64_t> arrivals(const stats::StreamTotal& stream, std::uint64_t block);

// Datagrams sent less arrivals: unlike iperf3's count it knows of losses at the end. Empty if one
// side is unknown.
std::optional<std::int64_t> true_loss(const stats::StreamTotal& stream, std::uint64_t block);

}  // namespace dpdkperf::report
