#pragma once

#include "dpdkperf/auth/token.hpp"
#include "dpdkperf/base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace dpdkperf::auth {

struct GatePlan {
    std::string private_key_path, users_path;
    std::chrono::seconds max_skew{10};  // between the two clocks; iperf3's default
    Padding padding = Padding::kOaep;
};

// Decides whom a server serves.
class Gate {
public:
    // Errors: no private RSA key, or a file of users that cannot be read.
    static Result<Gate> open(GatePlan plan);

    // Success, or why not, for the server's user alone: a client that is told more than "no", or
    // told so sooner, learns what to try next. The file of users is read anew each time.
    [[nodiscard]] Status admit(std::string_view token, std::chrono::sys_seconds now) const;

private:
    Gate(GatePlan plan, Key key);

    GatePlan plan_;
    Key key_;
};

}  // namespace dpdkperf::auth
