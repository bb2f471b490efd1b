#pragma once

#include "cjson.hpp"
#include "dpdkperf/report/reporter.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <optional>
#include <vector>

namespace dpdkperf::report {

// "start", as far as the test has come: without settings if there is no agreement yet. Pure.
Json start_json(const Style& style, const std::optional<stats::TestSettings>& settings,
    const std::vector<stats::Connection>& connections);

}  // namespace dpdkperf::report
