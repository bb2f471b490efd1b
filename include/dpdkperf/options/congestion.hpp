#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <string_view>

namespace dpdkperf::options {

// The algorithm that -C, or a client's "congestion", names: "cubic" or "reno". Errors (kUsage):
// any other name, in iperf3's words for one that the kernel does not have (iperf 3.12,
// src/iperf_error.c).
Result<traffic::Congestion> congestion_named(std::string_view name);

// The name of what is used where none is asked for (traffic::TcpSpec).
inline constexpr std::string_view kDefaultCongestion = "cubic";

}  // namespace dpdkperf::options
