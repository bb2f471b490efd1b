#pragma once

#include "dpdkperf/report/reporter.hpp"

#include <iosfwd>
#include <memory>

namespace dpdkperf::report {

// iperf3's JSON (-J): one object per test on `out`, complete when the test is finished.
// Synchronous. The streams must outlive the sink.
std::unique_ptr<stats::ReportSink> make_json_sink(
    const Style& style, std::ostream& out, std::ostream& err);

}  // namespace dpdkperf::report
