#pragma once

#include "dpdkperf/report/reporter.hpp"

#include <iosfwd>
#include <memory>

namespace dpdkperf::report {

// Who else writes to the stream of a document while the test runs.
enum class Writers { kNobodyElse, kOtherTests };

// iperf3's JSON (-J): one object per test on `out`, complete when the test is finished. It goes out
// part by part, unless other tests write there, too. Synchronous. The streams must outlive the
// sink.
std::unique_ptr<stats::ReportSink> make_json_sink(
    const Style& style, Writers writers, std::ostream& out, std::ostream& err);

}  // namespace dpdkperf::report
