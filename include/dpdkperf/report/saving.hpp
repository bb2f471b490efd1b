#pragma once

#include "dpdkperf/base/result.hpp"

#include <string>
#include <vector>

namespace dpdkperf::report {

// --save: a file for each test, for later comparison. What a Reporter has to be told for it.
struct Saving {
    std::string folder;
    std::vector<std::string> arguments;  // the command line, without the program's name
    std::string dpdk_version;            // "DPDK 22.11.4"
    std::string host, cpu;               // their names
    unsigned cpus = 0;
};

// Whether files can be made there. Errors: kPermission, kSystem.
Status check_folder(const std::string& folder);

}  // namespace dpdkperf::report
