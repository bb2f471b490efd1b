#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace dpdkperf::options {

struct ShellResult {
    std::string output;  // standard error included
    int status = -1;     // as of wait(2); -1: it could not be run
};

inline ShellResult shell(const std::string& command)
{
    ShellResult result;
    FILE* const pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
    std::array<char, 512> part{};
    while (pipe != nullptr && fgets(part.data(), part.size(), pipe) != nullptr) {
        result.output += part.data();
    }
    if (pipe != nullptr) {
        result.status = pclose(pipe);
    }
    return result;
}

}  // namespace dpdkperf::options
