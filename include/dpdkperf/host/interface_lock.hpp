#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <string>

namespace dpdkperf::host {

// The right to use an interface: one dpdkperf at a time in a network namespace. A file in /run,
// locked with flock(2) and holding our pid; the lock ends with this object or with the process.
// The file goes with the object; after a SIGKILL it is the Keeper's (RemoveLockFile).
class InterfaceLock {
public:
    static constexpr const char* kDirectory = "/run/dpdkperf";

    // Makes the directory if needed. Errors: kBusy names the owner's pid; kPermission.
    static Result<InterfaceLock> acquire(
        const std::string& interface_name, const std::string& directory = kDirectory);

    InterfaceLock(const InterfaceLock&) = delete;
    InterfaceLock& operator=(const InterfaceLock&) = delete;
    InterfaceLock(InterfaceLock&&) noexcept = default;
    InterfaceLock& operator=(InterfaceLock&&) noexcept = delete;
    ~InterfaceLock();

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    InterfaceLock(UniqueFd file, std::string path);
    UniqueFd file_;
    std::string path_;
};

// Removes the lock file at `path` unless a process holds its lock, and its directory if that is
// empty then.
void remove_lock_file(const std::string& path);

}  // namespace dpdkperf::host
