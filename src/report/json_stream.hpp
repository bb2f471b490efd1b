#pragma once

#include "dpdkperf/report/reporter.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <iosfwd>
#include <memory>

namespace dpdkperf::report {

// iperf3's JSON as a stream of events (--json-stream, iperf 3.17): a line for the start, each
// interval and the end of a test, and one for whatever else -J would tell. With
// --json-stream-full-output (3.20) the document of -J follows, and is kept in memory until then.
// Synchronous. The streams must outlive the sink.
std::unique_ptr<stats::ReportSink> make_json_stream_sink(
    const Style& style, std::ostream& out, std::ostream& err);

}  // namespace dpdkperf::report
