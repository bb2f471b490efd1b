#include "this_machine.hpp"

#include <algorithm>
#include <fstream>

#include <sys/utsname.h>
#include <unistd.h>

namespace dpdkperf::app {

std::string host_name()
{
    utsname name{};
    return uname(&name) == 0 ? name.nodename : "";
}

// "model name	: Intel(R) Xeon(R) …", of the first CPU.
std::string cpu_model()
{
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return {};
}

unsigned cpus_online()
{
    return static_cast<unsigned>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 0L));
}

}  // namespace dpdkperf::app
