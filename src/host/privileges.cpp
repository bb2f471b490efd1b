#include "dpdkperf/host/privileges.hpp"

#include "system_error.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dpdkperf::host {

namespace {

using NamedCapability = std::pair<Capability, std::string_view>;
constexpr NamedCapability kNames[] = {
    {Capability::kDacOverride, "CAP_DAC_OVERRIDE"},
    {Capability::kFowner, "CAP_FOWNER"},
    {Capability::kSetgid, "CAP_SETGID"},
    {Capability::kSetuid, "CAP_SETUID"},
    {Capability::kNetBindService, "CAP_NET_BIND_SERVICE"},
    {Capability::kNetAdmin, "CAP_NET_ADMIN"},
    {Capability::kNetRaw, "CAP_NET_RAW"},
    {Capability::kIpcLock, "CAP_IPC_LOCK"},
    {Capability::kBpf, "CAP_BPF"},
};

std::string name_of(unsigned number)
{
    for (const auto& [capability, name] : kNames) {
        if (static_cast<unsigned>(capability) == number) {
            return std::string{name};
        }
    }
    return "CAP_" + std::to_string(number);
}

// The pools of a few queues: what an af_xdp port gives the kernel to lock.
constexpr rlim_t kLockedBytes = rlim_t{512} << 20;

constexpr unsigned kNumbers = 64;

}  // namespace

Capabilities::Capabilities(std::initializer_list<Capability> members)
{
    for (const Capability one : members) {
        bits_ |= bit(one);
    }
}

Capabilities Capabilities::from_bits(std::uint64_t bits)
{
    Capabilities set;
    set.bits_ = bits;
    return set;
}

std::string to_string(Capabilities set)
{
    std::string text;
    for (unsigned number = 0; number < kNumbers; ++number) {
        if ((set.bits() >> number & 1) != 0) {
            text += (text.empty() ? "" : ", ") + name_of(number);
        }
    }
    return text;
}

Capabilities permitted()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    syscall(SYS_capget, &header, data.data());
    return Capabilities::from_bits(
        data[0].permitted | static_cast<std::uint64_t>(data[1].permitted) << 32);
}

Status require(Capabilities needed, const std::string& what)
{
    const auto lacking = needed - permitted();
    if (lacking.empty()) {
        return {};
    }
    return Error{Errc::kPermission, what + " needs " + to_string(needed) + "; this process lacks " +
                                        to_string(lacking) +
                                        " (run it as root, or see docs/privileges.md)"};
}

Status confine_process()
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
        return system_error("give up new privileges", errno);
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    // Without CAP_SETPCAP it stays, and means nothing to who can get no privileges by exec.
    for (unsigned number = 0; number < kNumbers; ++number) {
        prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    }
    return {};
}

bool may_lock_memory()
{
    rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 && getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_MEMLOCK, &limit);
    }
    return limit.rlim_cur >= kLockedBytes;
}

Result<Account> account_named(const std::string& name)
{
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> text(16'384);
    const int error = getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
    if (found == nullptr) {
        return error == 0 ? Error{Errc::kNotFound, "there is no user '" + name + "'"}
                          : system_error("user '" + name + "'", error);
    }
    return Account{name, entry.pw_uid, entry.pw_gid};
}

Status become(const Account& account)
{
    const std::string what = "becoming user '" + account.name + "'";
    if (Status status = require({Capability::kSetgid, Capability::kSetuid}, what); !status) {
        return status;
    }
    // glibc makes each of these calls in every thread (nptl(7)).
    if (setgroups(0, nullptr) != 0 || setresgid(account.group, account.group, account.group) != 0 ||
        setresuid(account.user, account.user, account.user) != 0) {
        return system_error(what, errno);
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return {};
}

}  // namespace dpdkperf::host
