#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <string>

namespace dpdkperf::host {

// The right to use an interface: one dpdkperf at a time in a network namespace. A socket with the
// interface's name in the abstract namespace (unix(7)), which is the network namespace's: it wants
// no file and no privilege, and goes with this object or with the process, however that ends.
class InterfaceLock {
public:
    // Errors: kBusy names the owner's pid, or says that it is in another pid namespace.
    static Result<InterfaceLock> acquire(const std::string& interface_name);

private:
    explicit InterfaceLock(UniqueFd socket) : socket_{std::move(socket)} {}
    UniqueFd socket_;
};

}  // namespace dpdkperf::host
