// capset(2) is for the calling thread alone, and nobody can do it for another.

#include "dpdkperf/host/privileges.hpp"
#include "system_error.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dpdkperf::host {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 2s;

// Safe in a signal handler: no more than a system call.
int set_capabilities(std::uint64_t bits)
{
    const auto low = static_cast<std::uint32_t>(bits);
    const auto high = static_cast<std::uint32_t>(bits >> 32);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    data[0] = {.effective = low, .permitted = low, .inheritable = 0};
    data[1] = {.effective = high, .permitted = high, .inheritable = 0};
    return static_cast<int>(syscall(SYS_capset, &header, data.data()));
}

int narrow(std::uint64_t bits)
{
    return set_capabilities(bits & permitted().bits());
}

// Not used by glibc, which keeps the first two real-time signals, nor by DPDK.
int signal_number()
{
    return SIGRTMIN + 5;
}

// The set comes with the signal: a thread that wakes up late finds nothing that has gone.
void on_signal(int, siginfo_t* info, void*)
{
    if (info->si_code == SI_QUEUE && info->si_pid == getpid()) {
        const int before = errno;
        narrow(reinterpret_cast<std::uintptr_t>(info->si_value.sival_ptr));
        errno = before;
    }
}

Status listen_for_signal()
{
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    return sigaction(signal_number(), &action, nullptr) == 0
               ? Status{}
               : Status{system_error("signal handler", errno)};
}

void send_to(int thread, Capabilities kept)
{
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a value, never followed
    info.si_value.sival_ptr = reinterpret_cast<void*>(kept.bits());
    syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal_number(), &info);
}

struct ThreadStatus {
    std::string name;
    std::uint64_t permitted = 0, effective = 0;
};

// Nothing but zeros of a thread that has just ended (proc(5), /proc/pid/task/tid/status).
ThreadStatus status_of(const std::string& thread)
{
    ThreadStatus status;
    std::ifstream lines{"/proc/self/task/" + thread + "/status"};
    for (std::string line; std::getline(lines, line);) {
        const auto value = [&](std::string_view key) {
            return line.starts_with(key) ? line.c_str() + key.size() : nullptr;
        };
        if (const char* name = value("Name:\t")) {
            status.name = name;
        } else if (const char* mask = value("CapPrm:\t")) {
            status.permitted = std::stoull(mask, nullptr, 16);
        } else if (const char* used = value("CapEff:\t")) {
            status.effective = std::stoull(used, nullptr, 16);
        }
    }
    return status;
}

// Done when a thread has no more than `kept`, and what it has is in force.
bool is_narrow(const ThreadStatus& status, Capabilities kept)
{
    return (status.permitted & ~kept.bits()) == 0 && status.permitted == status.effective;
}

// Asks each thread that is not narrow. Returns the name of one, empty if there is none.
std::string ask_threads(Capabilities kept)
{
    std::string wide;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task", ignored}) {
        const std::string thread = entry.path().filename();
        const ThreadStatus status = status_of(thread);
        int id = 0;
        if (!is_narrow(status, kept) &&
            std::from_chars(thread.data(), thread.data() + thread.size(), id).ec == std::errc{}) {
            wide = status.name;
            send_to(id, kept);
        }
    }
    return wide;
}

}  // namespace

Status keep_in_this_thread(Capabilities kept)
{
    return narrow(kept.bits()) == 0 ? Status{} : Status{system_error("give up privileges", errno)};
}

Status keep_in_all_threads(Capabilities kept)
{
    if (Status status = keep_in_this_thread(kept); !status) {
        return status;
    }
    if (Status status = listen_for_signal(); !status) {
        return status;
    }
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        const std::string wide = ask_threads(kept);
        if (wide.empty()) {
            return {};
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return Error{Errc::kSystem, "thread '" + wide + "' does not give up its privileges"};
        }
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace dpdkperf::host
