#pragma once

#include "dpdkperf/report/reporter.hpp"

#include <functional>
#include <iosfwd>
#include <memory>

namespace dpdkperf::report {

// Writes a file for each test of which style.saving tells: of a client from its first try to
// connect on, of a server's when the parameters are agreed. The document of -J goes into it as it
// comes. Synchronous. What cannot be written is said on `err`, and `lost` is called. The stream
// must outlive the sink.
std::unique_ptr<stats::ReportSink> make_save_sink(
    const Style& style, std::ostream& err, std::function<void()> lost);

}  // namespace dpdkperf::report
