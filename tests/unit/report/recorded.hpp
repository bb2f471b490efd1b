#pragma once

#include "dpdkperf/report/reporter.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace dpdkperf::report {

// What one iperf3 printed, and the numbers in it as tests/golden/values_*.py found them.
struct Recorded {
    std::string name;  // "lossy-text/client"
    std::string out, err;
    std::string relayed;  // server: what its client has got of it
    Style style;

    // Plays the run to a sink as control would have reported it.
    void play(stats::ReportSink& sink,
        const std::function<void(stats::ServerOutput)>& take_relayed) const;

    std::string values;  // JSON text, the part of values.json for this side
};

// For gtest's messages.
inline void PrintTo(const Recorded& run, std::ostream* out)
{
    *out << run.name;
}

// For tests/golden/check_schema.py, which wants to see what we print.
void keep_rendered(std::string name, const std::string& text);

// All of tests/golden. Empty if the folder cannot be read.
std::vector<Recorded> recorded_runs();

}  // namespace dpdkperf::report
