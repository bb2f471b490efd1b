#pragma once

#include <string>

namespace dpdkperf::app {

// As its kernel knows them; empty or 0 if it does not tell.
std::string host_name();
std::string cpu_model();
unsigned cpus_online();

}  // namespace dpdkperf::app
