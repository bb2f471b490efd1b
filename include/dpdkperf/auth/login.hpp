#pragma once

#include "dpdkperf/auth/token.hpp"
#include "dpdkperf/base/result.hpp"

#include <chrono>
#include <string>

namespace dpdkperf::auth {

// What a client shows to a server that asks who it is.
class Login {
public:
    // Errors: a name or a password that no server would read, no public RSA key, or one too short
    // for the two.
    static Result<Login> open(std::string user, std::string password,
        const std::string& public_key_path, Padding padding);

    // A token is good for some seconds only.
    [[nodiscard]] Result<std::string> token(std::chrono::sys_seconds now) const;

private:
    Login(std::string user, std::string password, Key key, Padding padding);

    std::string user_, password_;
    Key key_;
    Padding padding_;
};

}  // namespace dpdkperf::auth
