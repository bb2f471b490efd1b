#include "dpdkperf/base/stream_store.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace dpdkperf {

StreamStore::StreamStore(std::size_t size_bytes, std::uint64_t first)
    : size_{size_bytes},
      first_{first},
      bytes_{std::make_unique_for_overwrite<std::byte[]>(size_bytes)},
      published_{first},
      taken_{first}
{
    assert(std::has_single_bit(size_bytes));
}

void StreamStore::put(std::uint64_t at, std::span<const std::byte> bytes) noexcept
{
    assert(at >= published_.load(std::memory_order_relaxed) && at + bytes.size() <= room_end());
    const std::size_t begin = at & (size_ - 1);
    const std::size_t before_wrap = std::min(bytes.size(), size_ - begin);
    std::memcpy(&bytes_[begin], bytes.data(), before_wrap);
    std::memcpy(&bytes_[0], bytes.data() + before_wrap, bytes.size() - before_wrap);
}

void StreamStore::publish(std::uint64_t end) noexcept
{
    if (end > published_.load(std::memory_order_relaxed)) {
        published_.store(end, std::memory_order_release);
    }
}

std::span<const std::byte> StreamStore::readable() const noexcept
{
    const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
    const std::size_t begin = taken & (size_ - 1);
    const std::uint64_t there = published_.load(std::memory_order_acquire) - taken;
    return {&bytes_[begin], std::min<std::size_t>(there, size_ - begin)};
}

void StreamStore::take(std::size_t n) noexcept
{
    taken_.store(taken_.load(std::memory_order_relaxed) + n, std::memory_order_release);
}

}  // namespace dpdkperf
