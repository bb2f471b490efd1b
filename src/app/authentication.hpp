#pragma once

#include "dpdkperf/auth/gate.hpp"
#include "dpdkperf/auth/login.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

#include <optional>

namespace dpdkperf::app {

// What the plan says about authentication, with its files read.
struct Identity {
    std::optional<auth::Login> login;  // client
    std::optional<auth::Gate> gate;    // server
};

// A client's password comes from IPERF3_PASSWORD, or is asked for on the terminal. Errors begin
// with iperf3's words for them, which are parameter errors there.
Result<Identity> open_identity(const options::Plan& plan);

}  // namespace dpdkperf::app
