#pragma once

#include "cjson.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <optional>
#include <string>

namespace dpdkperf::report {

// "dpdkperf": what iperf3 has no field for. Pure.
Json extras_json(const std::string& version, const stats::TestSettings& settings,
    const std::optional<stats::Summary>& summary);

}  // namespace dpdkperf::report
