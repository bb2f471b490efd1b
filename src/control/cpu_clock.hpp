#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <chrono>

namespace dpdkperf::control {

// CPU time of the whole process since the clock was made, as iperf3 counts it
// (3.12, src/iperf_util.c, cpu_util): user and system from getrusage().
class CpuClock {
public:
    CpuClock();
    [[nodiscard]] stats::CpuUse use() const;

private:
    Moment start_;
    std::chrono::microseconds user_{0}, system_{0};
};

}  // namespace dpdkperf::control
