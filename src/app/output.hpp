#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/report/reporter.hpp"

#include <fstream>
#include <iostream>
#include <memory>
#include <string>

namespace dpdkperf::app {

// Where a run's reports and errors go: standard output and standard error, or the file of
// --logfile. Outlives its reporters.
class Output {
public:
    // Errors: kSystem, the file cannot be written.
    static Result<Output> open(const options::Plan& plan);

    [[nodiscard]] std::unique_ptr<report::Reporter> reporter();
    [[nodiscard]] std::ostream& errors() { return log_.is_open() ? log_ : std::cerr; }

    // The run ends before there is a test; who reads the reports sees why, in their form. Returns
    // the exit code.
    int refuse(const std::string& message);

private:
    explicit Output(report::Style style, std::ofstream log)
        : style_{std::move(style)}, log_{std::move(log)}
    {
    }

    report::Style style_;
    std::ofstream log_;  // not open: standard output and error
};

// Ends what is reported before there was a test. Returns the exit code.
int refuse(stats::ReportSink& sink, const std::string& message);

}  // namespace dpdkperf::app
