#pragma once

#include "cjson.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <string>

// The objects of which iperf3's JSON consists, in its order of keys (iperf 3.12,
// src/iperf_api.c). Pure.
namespace dpdkperf::report {

// "connected", "connecting_to", "accepted_connection", "timestamp", "test_start" within "start".
Json connection_json(const stats::Connection& connection);
Json endpoint_json(const std::string& host, std::uint16_t port);
Json timestamp_json(std::chrono::system_clock::time_point at);
Json test_start_json(const stats::TestSettings& settings);

// "error". A server that could not start, which has not `begun`, is the one whose error keeps its
// prefix (iperf 3.12, src/main.c: iperf_errexit with "error - %s").
std::string json_error(const std::string& message, bool begun);

// One element of "intervals".
Json interval_json(const stats::TestSettings& settings, const stats::IntervalReport& report);

// "end".
Json end_json(const stats::TestSettings& settings, const stats::Summary& summary);

}  // namespace dpdkperf::report
