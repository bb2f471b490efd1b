#include "privileges.hpp"

#include "dpdkperf/ports/eal.hpp"

#include <cstdio>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace dpdkperf::app {

namespace {

using enum host::Capability;

constexpr std::uint16_t kFirstFreePort = 1024;  // net.ipv4.ip_unprivileged_port_start, by default

// BPF programs belong to the machine: what a user namespace gives does not count.
bool in_first_user_namespace()
{
    constexpr ino_t kFirst = 0xEFFFFFFD;  // PROC_USER_INIT_INO, Linux, linux/proc_ns.h
    struct stat file {};
    return stat("/proc/self/ns/user", &file) != 0 || file.st_ino == kFirst;
}

// Until Linux 5.18 every use of a map needed it where unprivileged users have no BPF (commit
// "bpf: refine kernel.unprivileged_bpf_disabled behaviour").
bool maps_want_privileges()
{
    utsname system{};
    unsigned major = 0, minor = 0;
    return uname(&system) == 0 && std::sscanf(system.release, "%u.%u", &major, &minor) == 2 &&
           (major < 5 || (major == 5 && minor < 19));
}

// As far as the user has chosen it; a server has no use for --cport.
std::uint16_t port_to_bind(const options::Plan& plan)
{
    return plan.role == options::Role::kServer ? plan.port
                                               : plan.client_port.value_or(kFirstFreePort);
}

Status check_attaching(host::Capabilities needed, bool may_lock)
{
    constexpr const char* kWhat = "attaching to an interface";
    if (!in_first_user_namespace()) {
        return Error{Errc::kPermission,
            std::string{kWhat} + " takes an XDP program, which a user namespace gives no right to; "
                                 "run it outside (see docs/privileges.md)"};
    }
    if (Status status = host::require(needed - host::Capabilities{kIpcLock}, kWhat); !status) {
        return status;
    }
    return may_lock ? Status{} : host::require({kIpcLock}, "locking memory beyond 'ulimit -l'");
}

}  // namespace

Result<Privileges> Privileges::find(const options::Plan& plan)
{
    Privileges found;
    if (plan.user) {
        auto account = host::account_named(*plan.user);
        if (!account) {
            return std::move(account).error().within("--user");
        }
        if (Status status = host::require({kSetgid, kSetuid}, "--user"); !status) {
            return std::move(status).error();
        }
        found.account_ = *std::move(account);
    }
    if (port_to_bind(plan) < kFirstFreePort) {
        found.testing_ = found.testing_ | host::Capabilities{kNetBindService};
    }
    const bool may_lock = host::may_lock_memory();
    if (ports::names_a_device(plan.eal_arguments)) {
        const bool routes = plan.role == options::Role::kClient && !plan.gateways.empty();
        found.opening_ = routes ? host::Capabilities{kNetAdmin} : host::Capabilities{};
        if (Status status = host::require({kNetAdmin}, "the kernel twin of a port"); !status) {
            return std::move(status).error();
        }
        return found;
    }
    found.opening_ = {kNetAdmin, kNetRaw, kBpf};
    if (!may_lock) {
        found.opening_ = found.opening_ | host::Capabilities{kIpcLock};
    }
    if (maps_want_privileges()) {
        found.testing_ = found.testing_ | host::Capabilities{kBpf};
    }
    if (Status status = check_attaching(found.opening_, may_lock); !status) {
        return std::move(status).error();
    }
    return found;
}

Status Privileges::before_attaching() const
{
    if (account_) {
        if (Status status = host::become(*account_); !status) {
            return status;
        }
    }
    return host::keep_in_this_thread(opening_ | testing_);
}

Status Privileges::leave_attaching() const
{
    return host::keep_in_this_thread(testing_);
}

Status Privileges::after_opening() const
{
    if (account_) {
        if (Status status = host::become(*account_); !status) {
            return status;
        }
    }
    if (Status status = host::keep_in_all_threads(opening_ | testing_); !status) {
        return status;
    }
    return host::keep_in_this_thread(testing_);
}

Status Privileges::settle() const
{
    return host::keep_in_all_threads(testing_);
}

uid_t Privileges::user() const
{
    return account_ ? account_->user : getuid();
}

}  // namespace dpdkperf::app
