#include "pid_file.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace dpdkperf::app {

namespace {

// The process that a file names, 0 if none does.
pid_t named_in(const std::string& path)
{
    pid_t process = 0;
    std::ifstream{path} >> process;
    return process;
}

bool runs(pid_t process)
{
    return process > 0 && process != getpid() && (kill(process, 0) == 0 || errno == EPERM);
}

}  // namespace

Status write_pid_file(const std::string& path, host::Keeper& keeper)
{
    if (const pid_t other = named_in(path); runs(other)) {
        return Error{Errc::kBusy, "another instance of dpdkperf appears to be running: PID file '" +
                                      path + "' names process " + std::to_string(other)};
    }
    std::error_code ignored;
    const auto full = std::filesystem::absolute(path, ignored);
    if (auto token = keeper.undo(host::RemovePidFile{full.string()}); !token) {
        return std::move(token).error();
    }
    errno = 0;
    std::ofstream file{path};
    file << getpid() << '\n' << std::flush;
    if (!file) {
        return Error{Errc::kSystem,
            "unable to write PID file '" + path + "': " + std::generic_category().message(errno)};
    }
    return {};
}

}  // namespace dpdkperf::app
