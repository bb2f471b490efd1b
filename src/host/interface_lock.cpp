#include "dpdkperf/host/interface_lock.hpp"

#include "system_error.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace dpdkperf::host {

namespace {

// Interfaces of different namespaces may have the same name. /proc/thread-self, because a thread
// can change its namespace alone.
Result<std::string> lock_path(const std::string& directory, const std::string& interface_name)
{
    struct stat network_namespace {};
    if (stat("/proc/thread-self/ns/net", &network_namespace) != 0) {
        return system_error("network namespace", errno);
    }
    return directory + "/" + std::to_string(network_namespace.st_ino) + "-" + interface_name +
           ".lock";
}

// Whoever releases a lock removes its file: what we have opened may no longer be what others
// will open.
bool is_still_at(int fd, const std::string& path)
{
    struct stat ours {
    }, current{};
    return fstat(fd, &ours) == 0 && stat(path.c_str(), &current) == 0 &&
           ours.st_ino == current.st_ino && ours.st_dev == current.st_dev;
}

std::string pid_in(int fd)
{
    std::array<char, 32> text{};
    const auto n = pread(fd, text.data(), text.size(), 0);
    return n > 0 ? std::string{text.data(), static_cast<std::size_t>(n)} : "unknown";
}

Status write_pid(int fd, const std::string& path)
{
    const std::string pid = std::to_string(getpid());
    if (ftruncate(fd, 0) != 0 ||
        pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return system_error("write " + path, errno);
    }
    return {};
}

void remove_file_and_directory(const std::string& path)
{
    unlink(path.c_str());
    rmdir(std::filesystem::path{path}.parent_path().c_str());  // fails while others are in it
}

// An open file that may or may not be locked; none if the directory vanished meanwhile.
Result<UniqueFd> open_lock_file(const std::string& directory, const std::string& path)
{
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
        return system_error("create " + directory, errno);
    }
    UniqueFd file{open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
    if (!file && errno != ENOENT) {
        return system_error("open " + path, errno);
    }
    return file;
}

}  // namespace

InterfaceLock::InterfaceLock(UniqueFd file, std::string path)
    : file_{std::move(file)}, path_{std::move(path)}
{
}

Result<InterfaceLock> InterfaceLock::acquire(
    const std::string& interface_name, const std::string& directory)
{
    auto path = lock_path(directory, interface_name);
    if (!path) {
        return std::move(path).error();
    }
    for (;;) {
        auto file = open_lock_file(directory, *path);
        if (!file) {
            return std::move(file).error();
        }
        if (!*file) {
            continue;
        }
        if (flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
            return Error{Errc::kBusy, "interface " + interface_name +
                                          " is used by dpdkperf with pid " + pid_in(file->get())};
        }
        if (!is_still_at(file->get(), *path)) {
            continue;
        }
        if (auto written = write_pid(file->get(), *path); !written) {
            return std::move(written).error();
        }
        return InterfaceLock{std::move(*file), std::move(*path)};
    }
}

InterfaceLock::~InterfaceLock()
{
    if (file_) {
        remove_file_and_directory(path_);
    }
}

void remove_lock_file(const std::string& path)
{
    const UniqueFd file{open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
    if (file && flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_still_at(file.get(), path)) {
        remove_file_and_directory(path);
    }
}

}  // namespace dpdkperf::host
