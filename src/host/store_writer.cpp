#include "dpdkperf/host/store_writer.hpp"

#include "system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dpdkperf::host {

namespace {

// While there is nothing to write.
constexpr auto kNap = std::chrono::milliseconds{1};

// At once, so that no stream's store fills while another's is written.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

constexpr mode_t kForOwner = 0600;

// What can't be synchronised is not a file on a disk.
int synchronise(int file) noexcept
{
    return fdatasync(file) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
}

}  // namespace

Result<std::unique_ptr<StoreWriter>> StoreWriter::open(
    const std::string& path, const Stores& stores)
{
    std::vector<std::unique_ptr<Outlet>> outlets;
    for (std::size_t i = 0; i < stores.count; ++i) {
        UniqueFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kForOwner)};
        if (!file) {
            return system_error(path, errno);
        }
        outlets.push_back(std::make_unique<Outlet>(std::move(file), stores));
    }
    return std::unique_ptr<StoreWriter>{new StoreWriter{std::move(outlets)}};
}

StoreWriter::StoreWriter(std::vector<std::unique_ptr<Outlet>> outlets)
    : outlets_{std::move(outlets)}, thread_{[this](const std::stop_token& stop) { run(stop); }}
{
}

StoreWriter::~StoreWriter() = default;

void StoreWriter::mark() noexcept
{
    for (const auto& outlet : outlets_) {
        outlet->mark = outlet->store.published();
    }
}

bool StoreWriter::settled() const noexcept
{
    return error() != 0 || std::ranges::all_of(outlets_, [](const auto& outlet) {
        return outlet->store.taken() >= outlet->mark;
    });
}

std::uint64_t StoreWriter::file_bytes() const noexcept
{
    struct stat facts {};
    return fstat(outlets_.front()->file.get(), &facts) == 0
               ? static_cast<std::uint64_t>(facts.st_size)
               : 0;
}

void StoreWriter::run(const std::stop_token& stop) noexcept
{
    for (;;) {
        const bool last = stop.stop_requested();  // nothing is published after that
        bool wrote = false;
        for (const auto& outlet : outlets_) {
            wrote |= write_some(*outlet);
        }
        if (error() != 0 || (last && !wrote)) {
            return;
        }
        if (!wrote) {
            std::this_thread::sleep_for(kNap);
        }
    }
}

bool StoreWriter::write_some(Outlet& outlet) noexcept
{
    const auto all = outlet.store.readable();
    if (all.empty()) {
        return false;
    }
    const int file = outlet.file.get();
    const ssize_t n = write(file, all.data(), std::min(all.size(), kMostBytes));
    const int failed = n < 0 ? (errno == EINTR ? 0 : errno) : synchronise(file);
    if (failed != 0) {
        error_.store(failed, std::memory_order_release);
        return false;
    }
    outlet.store.take(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return true;
}

}  // namespace dpdkperf::host
