#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <variant>

#include <sys/types.h>

namespace dpdkperf::host {

// What the keeper may have to undo. Each is carried out only if there is something to undo.
struct RemoveFile {
    std::string path;
};
struct RemovePidFile {
    std::string path;  // stays if it names another process than this one by then
};
struct RemoveDirectory {
    std::string path;  // with the files in it; stays if a directory is in it
};
// Takes any XDP program off: its name, which would say whose it is, only CAP_SYS_ADMIN may read. So
// the hook must be empty when this is registered, and it must be done() as soon as what was
// attached then is off or hangs on a bpf_link.
struct DetachXdp {
    std::uint32_t interface_index = 0;
};
using Undo = std::variant<RemoveFile, RemovePidFile, RemoveDirectory, DetachXdp>;

// The keeper process: it outlives this one, however this one ends (return, signal, crash,
// SIGKILL), waits until the kernel has closed all of its descriptors (at most 10 s), undoes what
// has not been marked as done, latest first, and ends. It ignores the signals of a terminal, holds
// no descriptor of ours but standard error, where it writes what it could not undo, and stays in
// the network namespace in which it was started. Of the privileges of its process it keeps those
// that undoing takes (docs/privileges.md). Main thread only, but undo() and done() of DetachXdp,
// which are for one other thread after seal().
class Keeper {
public:
    using Token = std::uint64_t;

    // Actions that can be registered at a time, and the longest path.
    static constexpr std::size_t kMaxActions = 64;
    static constexpr std::size_t kMaxPathBytes = 511;

    // Forks: call it before there is any thread, lock or change. The keeper is our child, and
    // release() reaps it.
    static Result<Keeper> start();

    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    Keeper(Keeper&&) noexcept = default;
    Keeper& operator=(Keeper&&) noexcept = delete;
    ~Keeper();  // release()

    // To be called before the change, so that no moment is uncovered. Paths are absolute.
    // Errors: too many actions, path too long, sealed, kPeer if the keeper was killed.
    Result<Token> undo(const Undo& action);
    // From now on undo() takes DetachXdp only, and the keeper holds to that whatever it is told: it
    // has privileges that this process may be about to give up.
    void seal();
    // The change was undone by ourselves, or never made.
    void done(Token token);

    // Our normal end: the keeper undoes what is left, now. Returns when it has ended, at most
    // after 2 s (kTimeout). undo() fails afterwards.
    Status release();

private:
    Keeper(UniqueFd socket, pid_t pid) : socket_{std::move(socket)}, pid_{pid} {}

    UniqueFd socket_;
    pid_t pid_;
    std::set<Token> open_;
    Token next_ = 1;
    bool sealed_ = false;
};

}  // namespace dpdkperf::host
