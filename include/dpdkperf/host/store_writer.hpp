#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/base/stream_store.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace dpdkperf::host {

// Writes what arrives in stores to a file, by a thread of its own, which may wait for the disk: a
// store that fills meanwhile holds up whoever fills it, and nothing is lost. Each store has the
// file to itself, so several write over one another (iperf 3.12, src/iperf_api.c,
// iperf_new_stream).
//
// What is written is also synchronised, as iperf3 does: it is the storage that shall be measured.
class StoreWriter {
public:
    struct Stores {
        std::size_t count = 1;
        std::size_t bytes = 0;    // of each, a power of two
        std::uint64_t first = 0;  // position of the stream that the file begins with
    };

    // Makes the file, for its owner alone, or empties it. Errors name it.
    static Result<std::unique_ptr<StoreWriter>> open(const std::string& path, const Stores& stores);
    StoreWriter(const StoreWriter&) = delete;
    StoreWriter& operator=(const StoreWriter&) = delete;
    // Writes what has been published, and closes the file.
    ~StoreWriter();

    [[nodiscard]] StreamStore& store(std::size_t index) { return outlets_[index]->store; }

    // What has been published by now is wanted in the file.
    void mark() noexcept;
    // It is there, or never will be.
    [[nodiscard]] bool settled() const noexcept;
    // The errno of the write that has failed, after which there is no other; 0: none.
    [[nodiscard]] int error() const noexcept { return error_.load(std::memory_order_acquire); }
    // How long the file is now.
    [[nodiscard]] std::uint64_t file_bytes() const noexcept;

private:
    struct Outlet {
        Outlet(UniqueFd to, const Stores& stores)
            : file{std::move(to)}, store{stores.bytes, stores.first}
        {
        }
        UniqueFd file;
        StreamStore store;
        std::uint64_t mark = 0;
    };

    explicit StoreWriter(std::vector<std::unique_ptr<Outlet>> outlets);
    void run(const std::stop_token& stop) noexcept;
    bool write_some(Outlet& outlet) noexcept;

    std::vector<std::unique_ptr<Outlet>> outlets_;
    std::atomic<int> error_{0};  // the thread: writes
    std::jthread thread_;        // last: it uses the others
};

}  // namespace dpdkperf::host
