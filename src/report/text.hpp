#pragma once

#include "dpdkperf/report/reporter.hpp"

#include <iosfwd>
#include <memory>

namespace dpdkperf::report {

// iperf3's human output for UDP tests. Synchronous; flushes after each report. The streams must
// outlive the sink.
std::unique_ptr<stats::ReportSink> make_text_sink(
    const Style& style, std::ostream& out, std::ostream& err);

}  // namespace dpdkperf::report
