#pragma once

#include <string>

namespace dpdkperf::host {

// Runs commands, one a line, in this process's network namespace. Throws if one fails.
void run(const std::string& commands);

// A veth pair: hx0 (10.9.0.1/24, fd09::1/64, index 10) here and hx1 (10.9.0.2/24, fd09::2/64) in a
// namespace of its own. Both and everything on them vanish with the object.
class Lab {
public:
    Lab();
    Lab(const Lab&) = delete;
    Lab& operator=(const Lab&) = delete;
    ~Lab();

    // Runs commands, one a line, at the other end.
    void run_at_peer(const std::string& commands);

private:
    std::string peer_;
};

inline constexpr const char* kPeerMac = "02:00:00:00:00:02";

}  // namespace dpdkperf::host
