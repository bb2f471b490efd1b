#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/privileges.hpp"
#include "dpdkperf/options/plan.hpp"

#include <optional>

namespace dpdkperf::app {

// Who the process is and what its threads may do, from the start to the test (docs/privileges.md).
// Main thread only.
class Privileges {
public:
    // Looks at what is there; nothing is given up yet. Errors: kNotFound (--user); kPermission,
    // which names the capabilities that are lacking for the port that `plan` is about.
    static Result<Privileges> find(const options::Plan& plan);

    // An af_xdp port: becomes the user and keeps what attaching takes. Before there are threads.
    Status before_attaching() const;
    // An af_xdp port: the threads that are there by now attach; those that come need not.
    Status leave_attaching() const;
    // A port that DPDK owns is open, with all of its threads: becomes the user and keeps what a
    // route to a client's server takes.
    Status after_opening() const;
    // A client is connected: all threads keep only what the test takes.
    Status settle() const;

    // Whose files EAL's will be, if it is started after before_attaching().
    [[nodiscard]] uid_t user() const;

private:
    std::optional<host::Account> account_;
    host::Capabilities opening_;  // after the start, until settle(); not main's
    host::Capabilities testing_;  // main's, and everybody's after settle()
};

}  // namespace dpdkperf::app
