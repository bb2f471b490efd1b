#pragma once

#include <atomic>
#include <cstdint>

namespace dpdkperf::stats {

// One writing thread, any number of readers. add() is a plain load, add and store: no lock
// prefix, but no torn or cached reads either.
class SingleWriterCounter {
public:
    void add(std::uint64_t n) noexcept { value_.store(read() + n, std::memory_order_relaxed); }
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t read() const noexcept
    {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace dpdkperf::stats
