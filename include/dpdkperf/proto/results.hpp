#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/proto/failure.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dpdkperf::proto {

// The id of the stream that was created as number `index` (from 0): 1, 3, 4, 5, … There is no 2
// (iperf 3.12, src/iperf_api.c, iperf_add_stream).
constexpr int stream_id(std::uint32_t index)
{
    return index == 0 ? 1 : static_cast<int>(index) + 2;
}

// One side's account of a stream. Counters lie between -2^62 and 2^62, so that the difference of
// two does not overflow; -1 stands for "not known".
struct StreamResult {
    int id = 1;
    std::int64_t bytes = 0;  // sent or received by this side after omit
    std::int64_t retransmits = -1;
    double jitter_s = 0;                             // receiver
    std::int64_t errors = 0;                         // receiver: lost, the omitted part included
    std::optional<std::int64_t> omitted_errors;      // of these, in the omitted part (from 3.14)
    std::int64_t packets = 0;                        // sender: sent; receiver: highest sequence
    std::optional<std::int64_t> omitted_packets;     // likewise
    std::optional<double> start_time_s, end_time_s;  // by this side's clock (from 3.2)

    friend bool operator==(const StreamResult&, const StreamResult&) = default;
};

// The document of EXCHANGE_RESULTS, of the same shape in both directions.
struct Results {
    double cpu_total = 0, cpu_user = 0, cpu_system = 0;  // percent of one CPU
    std::int64_t sender_has_retransmits = 0;  // -1: only receives; 0: does not count; 1: counts
    std::string congestion_used;              // TCP
    // What a server has printed, if its client asked for it: at most one of the two.
    std::string server_output_text;
    std::string server_output_json;  // an object, as the server has written it
    std::vector<StreamResult> streams;

    friend bool operator==(const Results&, const Results&) = default;
};

// Reads the peer's results of a test of `streams` streams. A stream that is not in it is
// tolerated; one that the test does not have fails with kStreamId, as do iperf3's readers.
// Fractions in counters are cut off.
Parsed<Results> parse_results(std::string_view document, std::uint32_t streams);

// Errors: larger than `max_bytes`.
Result<std::string> to_document(const Results& results, std::size_t max_bytes);

}  // namespace dpdkperf::proto
