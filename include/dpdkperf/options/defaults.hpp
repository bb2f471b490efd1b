#pragma once

#include "dpdkperf/options/plan.hpp"

// What iperf3 takes where a client's user did not say. validate() puts it into the plan.
namespace dpdkperf::options {

// -n or -k was given.
bool ends_by_amount(const Plan& plan);

BitRate rate_of(const Plan& plan);
std::chrono::seconds duration_of(const Plan& plan);

}  // namespace dpdkperf::options
