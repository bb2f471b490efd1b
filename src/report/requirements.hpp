#pragma once

#include "dpdkperf/stats/reports.hpp"

#include <span>
#include <string>
#include <vector>

// What a test has made of the user's requirements (--require). Pure.
namespace dpdkperf::report {

// In the order of the requirements; of a bidirectional test each stands for both directions, of
// which it gets a verdict each.
std::vector<stats::Verdict> judge(std::span<const stats::Requirement> requirements,
    const stats::TestSettings& settings, const stats::Summary& summary);

// A line for each verdict that is not met:
// "dpdkperf: require: rx 3.2 Gbits/sec is not >= 90 Gbits/sec"
std::string unmet_lines(const std::string& program, const stats::TestSettings& settings,
    std::span<const stats::Verdict> verdicts);

}  // namespace dpdkperf::report
