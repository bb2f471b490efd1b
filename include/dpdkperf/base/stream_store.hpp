#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dpdkperf {

// The bytes of a stream on their way from one thread to another. Position p of the stream lies at
// p % size(), so that whatever comes out of order is put where it belongs; it can be taken when all
// before it is there.
//
// One thread puts and publishes, one takes. Memory is touched where bytes are put, not before.
class StreamStore {
public:
    // `size_bytes` is a power of two. Positions before `first` are nobody's.
    StreamStore(std::size_t size_bytes, std::uint64_t first);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }

    // Who gives: `bytes`, of the stream from `at` on. They lie between what has been published and
    // room_end().
    void put(std::uint64_t at, std::span<const std::byte> bytes) noexcept;
    // Who gives: everything before `end` has been put. It never goes back.
    void publish(std::uint64_t end) noexcept;
    // Who gives: the end of what may be put now. Never goes back.
    [[nodiscard]] std::uint64_t room_end() const noexcept { return taken() + size_; }

    // Who takes: the next bytes that lie in one piece; empty if there are none.
    [[nodiscard]] std::span<const std::byte> readable() const noexcept;
    // Who takes: the first `n` of these are done with.
    void take(std::size_t n) noexcept;

    // Any thread: the ends of what was published and of what was taken, so far.
    [[nodiscard]] std::uint64_t published() const noexcept
    {
        return published_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t taken() const noexcept
    {
        return taken_.load(std::memory_order_acquire);
    }

private:
    const std::size_t size_;
    const std::uint64_t first_;
    const std::unique_ptr<std::byte[]> bytes_;
    alignas(64) std::atomic<std::uint64_t> published_;  // who gives: writes
    alignas(64) std::atomic<std::uint64_t> taken_;      // who takes: writes
};

}  // namespace dpdkperf
