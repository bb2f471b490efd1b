#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/capture/frame_ring.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dpdkperf::capture {

// The first frames of either direction, from pollers into a pcapng file (--pcap). A thread writes
// what the pollers have put into their rings; a poller that finds its ring full goes on without.
class Capture {
public:
    // Makes the file, of `program` with the words `comment`. `frames`: of each direction that are
    // kept. Errors: the file cannot be written.
    static Result<std::unique_ptr<Capture>> create(const std::string& path, std::uint32_t frames,
        const std::string& program, const std::string& comment);
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture();  // finish()

    // The writing thread begins; it has the privileges of the caller.
    void start();
    // When no poller uses its ring any more: all is in the file. Errors: what could not be written.
    Status finish();

    // Any one thread, before there are frames of it. The same name gets the same number.
    std::uint16_t add_interface(
        const std::string& name, const std::string& description, const Mac& mac);
    // Of one poller at a time, known by its number. Any one thread.
    FrameRing& ring(std::size_t poller);

    // Pollers: whether some may be kept.
    [[nodiscard]] bool wants(Direction direction) const noexcept
    {
        return (direction == Direction::kSent ? left_sent_ : left_received_)
                   .load(std::memory_order_relaxed) != 0;
    }
    // Pollers: how many of `wanted` frames may be kept; what is not is given back.
    std::uint32_t claim(Direction direction, std::uint32_t wanted) noexcept
    {
        std::atomic<std::uint32_t>& left = left_of(direction);
        std::uint32_t now = left.load(std::memory_order_relaxed);
        std::uint32_t got = 0;
        do {
            got = std::min(now, wanted);
        } while (
            got != 0 && !left.compare_exchange_weak(now, now - got, std::memory_order_relaxed));
        return got;
    }
    void give_back(Direction direction, std::uint32_t frames) noexcept
    {
        left_of(direction).fetch_add(frames, std::memory_order_relaxed);
    }
    // Pollers: frames that were to be kept and found no room.
    void lose(std::uint32_t frames) noexcept { lost_.fetch_add(frames, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t lost() const noexcept
    {
        return lost_.load(std::memory_order_relaxed);
    }

private:
    struct CloseFile {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using File = std::unique_ptr<std::FILE, CloseFile>;

    Capture(File file, std::string path, std::uint32_t frames);
    std::atomic<std::uint32_t>& left_of(Direction direction) noexcept
    {
        return direction == Direction::kSent ? left_sent_ : left_received_;
    }
    void run(const std::stop_token& stop);
    void drain();
    void write(const std::string& block);
    void flush();
    void write_statistics();

    struct Interface {
        std::string name;
        std::uint64_t kept = 0;
    };

    const std::string path_;
    std::mutex mutex_;  // of what follows; pollers never take it
    File file_;
    int error_ = 0;  // the first of writing
    std::vector<Interface> interfaces_;
    std::vector<std::unique_ptr<FrameRing>> rings_;

    std::atomic<std::uint32_t> left_received_, left_sent_;
    std::atomic<std::uint64_t> lost_{0};
    std::jthread thread_;  // last: ends before the rest goes
};

}  // namespace dpdkperf::capture
