#pragma once

#include "dpdkperf/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dpdkperf::auth {

// SHA-256 of "{user}password" in lower-case hexadecimal, as iperf3's files have it (iperf 3.12,
// iperf3(1), "Authorized users configuration file").
std::string password_hash(std::string_view user, std::string_view password);

// Who may use a server.
class Users {
public:
    // Lines "user,hash", up to a second comma; those that begin with '#' or have no comma mean
    // nothing.
    static Users parse(std::string_view text);
    static Result<Users> load(const std::string& path);

    // Whether the two are a line's. Looks at every line, found or not.
    [[nodiscard]] bool know(std::string_view user, std::string_view password) const;

private:
    struct Line {
        std::string user, hash;
    };
    std::vector<Line> lines_;
};

}  // namespace dpdkperf::auth
