#pragma once

#include "cjson.hpp"
#include "dpdkperf/report/reporter.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <optional>

namespace dpdkperf::report {

// "dpdkperf": what iperf3 has no field for. Pure.
Json extras_json(const Style& style, const stats::TestSettings& settings,
    const std::optional<stats::Summary>& summary);

}  // namespace dpdkperf::report
