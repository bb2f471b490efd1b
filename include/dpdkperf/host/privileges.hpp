#pragma once

#include "dpdkperf/base/result.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>

#include <sys/types.h>

namespace dpdkperf::host {

// Those that dpdkperf has to do with; the values are the kernel's (linux/capability.h).
enum class Capability : std::uint8_t {
    kDacOverride = 1,
    kFowner = 3,
    kSetgid = 6,
    kSetuid = 7,
    kNetBindService = 10,
    kNetAdmin = 12,
    kNetRaw = 13,
    kIpcLock = 14,
    kBpf = 39,
};

// A set of capabilities, as the kernel writes it in /proc/PID/status.
class Capabilities {
public:
    Capabilities() = default;
    Capabilities(std::initializer_list<Capability> members);
    static Capabilities from_bits(std::uint64_t bits);

    [[nodiscard]] bool has(Capability one) const { return (bits_ & bit(one)) != 0; }
    [[nodiscard]] bool empty() const { return bits_ == 0; }
    [[nodiscard]] std::uint64_t bits() const { return bits_; }
    friend Capabilities operator|(Capabilities a, Capabilities b)
    {
        return from_bits(a.bits_ | b.bits_);
    }
    friend Capabilities operator&(Capabilities a, Capabilities b)
    {
        return from_bits(a.bits_ & b.bits_);
    }
    friend Capabilities operator-(Capabilities a, Capabilities b)
    {
        return from_bits(a.bits_ & ~b.bits_);
    }
    friend bool operator==(Capabilities, Capabilities) = default;

private:
    static std::uint64_t bit(Capability one)
    {
        return std::uint64_t{1} << static_cast<unsigned>(one);
    }
    std::uint64_t bits_ = 0;
};

// "CAP_NET_ADMIN, CAP_BPF"; "CAP_21" for those without a name here.
std::string to_string(Capabilities set);

// What the calling thread may have and what it may give away for ever.
Capabilities permitted();

// Errors (kPermission): `what` needs capabilities that this thread does not have; they are named.
Status require(Capabilities needed, const std::string& what);

// Makes sure that privileges only become fewer from here on: no program that is executed gives any,
// and changing the user takes none away by itself. Before
// there is a second thread.
Status confine_process();

// Raises the limit of locked memory as far as it goes. Whether as much as a port wants may be
// locked then without CAP_IPC_LOCK.
bool may_lock_memory();

// Makes `kept` all that the calling thread has, as far as it has it. Threads that it starts
// afterwards have no more.
Status keep_in_this_thread(Capabilities kept);

// The same for all threads of the process; one that has less already is left alone. Returns when
// the kernel says that it is so. Errors (kSystem): a thread that blocks all signals and has more.
Status keep_in_all_threads(Capabilities kept);

struct Account {
    std::string name;
    uid_t user = 0;
    gid_t group = 0;
};

// Errors (kNotFound): there is no such user.
Result<Account> account_named(const std::string& name);

// All threads become `account`'s: user, group, no supplementary groups. Nobody else of that account
// can look into the process. What keep_...() has left stays permitted after confine_process(), and
// another keep_...() makes it effective. Errors: kPermission, which names what is lacking.
Status become(const Account& account);

}  // namespace dpdkperf::host
