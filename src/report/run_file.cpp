#include "run_file.hpp"

#include "dpdkperf/report/saving.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace dpdkperf::report {

namespace {

constexpr const char* kPart = ".part";
constexpr int kMostOfASecond = 1000;

Error cannot_write(const std::string& path)
{
    return Error{errno == EACCES ? Errc::kPermission : Errc::kSystem,
        "unable to write '" + path + "': " + std::generic_category().message(errno)};
}

// False, with errno, if there is one.
bool create_exclusively(const std::string& path)
{
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return file >= 0 && close(file) == 0;
}

}  // namespace

Status check_folder(const std::string& folder)
{
    const std::string probe = folder + "/.dpdkperf-" + std::to_string(getpid());
    if (!create_exclusively(probe)) {
        return cannot_write(probe);
    }
    (void)unlink(probe.c_str());
    return {};
}

// Whoever has the ".part" is the only one that may take its name.
Result<RunFile> RunFile::create(const std::string& folder, const std::string& stem)
{
    for (int number = 1; number <= kMostOfASecond; ++number) {
        const std::string suffix = number == 1 ? "" : "-" + std::to_string(number);
        const std::string path = folder + '/' + stem + suffix + ".json";
        if (!create_exclusively(path + kPart)) {
            if (errno == EEXIST) {
                continue;
            }
            return cannot_write(path);
        }
        RunFile file{path};
        if (access(path.c_str(), F_OK) != 0) {
            return file;
        }
    }
    errno = EEXIST;
    return cannot_write(folder + '/' + stem + ".json");
}

RunFile::RunFile(std::string path) : path_{std::move(path)}, stream_{path_ + kPart, std::ios::app}
{
}

RunFile::RunFile(RunFile&& other) noexcept
    : path_{std::exchange(other.path_, {})}, stream_{std::move(other.stream_)}
{
}

RunFile::~RunFile()
{
    if (!path_.empty()) {
        (void)unlink((path_ + kPart).c_str());
    }
}

Status RunFile::publish()
{
    errno = 0;
    stream_.close();
    if (!stream_ || std::rename((path_ + kPart).c_str(), path_.c_str()) != 0) {
        return cannot_write(path_);
    }
    path_.clear();
    return {};
}

}  // namespace dpdkperf::report
