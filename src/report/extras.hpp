#pragma once

#include "dpdkperf/report/reporter.hpp"

#include <iosfwd>
#include <memory>

namespace dpdkperf::report {

// At the end of a test, a line per stream about what iperf3 does not know, and one about the port
// if something went wrong there. Synchronous. The stream must outlive the sink.
std::unique_ptr<stats::ReportSink> make_extras_sink(const Style& style, std::ostream& err);

}  // namespace dpdkperf::report
