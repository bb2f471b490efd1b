#include "dpdkperf/host/interface_lock.hpp"

#include "system_error.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>

namespace dpdkperf::host {

namespace {

// Whoever asks for the owner's pid stays in the owner's queue, which nobody reads.
constexpr int kAsking = 4096;

struct AbstractAddress {
    sockaddr_un address{};
    socklen_t bytes = 0;

    explicit AbstractAddress(const std::string& name)
    {
        address.sun_family = AF_UNIX;
        const auto length = name.copy(&address.sun_path[1], sizeof(address.sun_path) - 1);
        bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
    }
    [[nodiscard]] const sockaddr* get() const
    {
        return reinterpret_cast<const sockaddr*>(&address);
    }
};

UniqueFd stream_socket()
{
    return UniqueFd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

// An owner that has just come listens at once; one that never does is none of ours.
constexpr int kTries = 50;
constexpr std::chrono::milliseconds kBetweenTries{10};

// The process that listens there. ECONNREFUSED if it has gone meanwhile, or has just come and does
// not listen yet.
std::pair<int, pid_t> owner_of(const AbstractAddress& where)
{
    const UniqueFd probe = stream_socket();
    if (connect(probe.get(), where.get(), where.bytes) != 0) {
        return {errno, 0};
    }
    ucred owner{};
    socklen_t length = sizeof owner;
    getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &owner, &length);
    return {0, owner.pid};
}

Error busy(const std::string& interface_name, pid_t owner)
{
    return {Errc::kBusy, "interface " + interface_name + " is used by dpdkperf " +
                             (owner > 0 ? "with pid " + std::to_string(owner)
                                        : std::string{"in another pid namespace"})};
}

}  // namespace

Result<InterfaceLock> InterfaceLock::acquire(const std::string& interface_name)
{
    const AbstractAddress where{"dpdkperf/" + interface_name};
    for (int tries = 0; tries < kTries; ++tries) {
        UniqueFd socket = stream_socket();
        if (bind(socket.get(), where.get(), where.bytes) == 0 &&
            listen(socket.get(), kAsking) == 0) {
            return InterfaceLock{std::move(socket)};
        }
        if (errno != EADDRINUSE) {
            return system_error("lock interface " + interface_name, errno);
        }
        if (const auto [error, owner] = owner_of(where); error != ECONNREFUSED) {
            return busy(interface_name, owner);
        }
        std::this_thread::sleep_for(kBetweenTries);
    }
    return Error{Errc::kBusy,
        "interface " + interface_name + " is locked by a process that does not say who it is"};
}

}  // namespace dpdkperf::host
