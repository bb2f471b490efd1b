#include "dpdkperf/host/file.hpp"

#include "dpdkperf/host/unique_fd.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dpdkperf::host {

namespace {

// Where to begin with a file whose size says nothing.
constexpr std::size_t kFirstBytes = std::size_t{1} << 20;
// More of it is not read: it may have no end.
constexpr std::size_t kMostOfUnknown = std::size_t{256} << 20;

Error too_large(
    const std::string& path, std::optional<std::uint64_t> has_bytes, std::size_t most_bytes)
{
    return {Errc::kSystem, path + ": has " + (has_bytes ? std::to_string(*has_bytes) : "too many") +
                               " bytes, and at most " + std::to_string(most_bytes) +
                               " can be held in memory"};
}

// Of what fstat() or stat() have told, if `failed` is 0.
std::optional<std::uint64_t> length(int failed, const struct stat& facts)
{
    if (failed != 0 || !S_ISREG(facts.st_mode)) {
        return {};
    }
    return static_cast<std::uint64_t>(facts.st_size);
}

// Appends what comes next to the `end` bytes that are there. How much that was; -1 as read().
ssize_t read_more(int file, std::vector<std::byte>& bytes, std::size_t end)
{
    for (;;) {
        const ssize_t n = read(file, &bytes[end], bytes.size() - end);
        if (n >= 0 || errno != EINTR) {
            return n;
        }
    }
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path, std::size_t most_bytes)
{
    const UniqueFd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) {
        return system_error(path, errno);
    }
    struct stat facts {};
    const auto expected = length(fstat(file.get(), &facts), facts);
    if (expected.value_or(0) > most_bytes) {
        return too_large(path, expected, most_bytes);
    }
    most_bytes = expected ? most_bytes : std::min(most_bytes, kMostOfUnknown);
    std::vector<std::byte> bytes(expected.value_or(kFirstBytes) + 1);  // one more shows the end
    std::size_t end = 0;
    for (;;) {
        const ssize_t n = read_more(file.get(), bytes, end);
        if (n < 0) {
            return system_error(path, errno);
        }
        if (n == 0) {
            break;
        }
        end += static_cast<std::size_t>(n);
        if (end > most_bytes) {
            return too_large(path, {}, most_bytes);
        }
        if (end == bytes.size()) {
            bytes.resize(std::min(2 * end, most_bytes + 1));
        }
    }
    if (end == 0) {
        return Error{Errc::kSystem, path + ": there is nothing in it"};
    }
    bytes.resize(end);
    return bytes;
}

std::optional<std::uint64_t> file_bytes(const std::string& path)
{
    struct stat facts {};
    return length(stat(path.c_str(), &facts), facts);
}

std::optional<std::uint64_t> available_memory()
{
    std::ifstream file{"/proc/meminfo"};
    return available_memory(std::string{std::istreambuf_iterator<char>{file}, {}});
}

std::optional<std::uint64_t> available_memory(std::string_view meminfo)
{
    constexpr std::string_view kName = "MemAvailable:";
    const std::size_t at = meminfo.find(kName);
    if (at == std::string_view::npos) {
        return {};
    }
    std::string_view rest = meminfo.substr(at + kName.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::uint64_t kilobytes = 0;
    const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), kilobytes);
    return failed == std::errc{} ? std::optional{kilobytes * 1024} : std::nullopt;
}

}  // namespace dpdkperf::host
