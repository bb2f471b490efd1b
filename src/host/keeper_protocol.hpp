#pragma once

// What passes between a Keeper and its process, over a SOCK_SEQPACKET pair: one KeeperMessage a
// packet, in one direction. Both ends are the same program, so the layout is the compiler's.

#include "dpdkperf/host/keeper.hpp"

#include <array>
#include <cstdint>

namespace dpdkperf::host {

enum class KeeperVerb : std::uint8_t {
    kRelease,  // undo all and end; main goes on
    kDone,     // forget the action with this token
    kSeal,     // take no more paths
    kRemoveFile,
    kRemovePidFile,
    kRemoveDirectory,
    kDetachXdp,
};

struct KeeperMessage {
    KeeperVerb verb = KeeperVerb::kDone;
    std::uint64_t token = 0;
    std::uint32_t interface_index = 0;
    pid_t process = 0;
    std::array<char, Keeper::kMaxPathBytes + 1> path{};  // ends with 0
};

// The whole life of the keeper process, in the process that fork(2) has made. `socket` is its end
// of the pair, on which it sends one byte when nothing can end it any more but main's end; `main`
// is main's pidfd. Both are above standard error.
[[noreturn]] void run_keeper(int socket, int main);

}  // namespace dpdkperf::host
