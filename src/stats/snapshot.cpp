#include "dpdkperf/stats/snapshot.hpp"

#include <bit>

namespace dpdkperf::stats {

namespace {

using Words = std::array<std::uint64_t, sizeof(Snapshot) / sizeof(std::uint64_t)>;

}  // namespace

// Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012), figure 6:
// relaxed data between a release fence of the writer and an acquire fence of the reader.
void SnapshotSlots::publish(const Snapshot& snapshot) noexcept
{
    Slot& slot = slots_[next_];
    next_ = (next_ + 1) % kSlots;
    const std::uint64_t version = slot.version.load(std::memory_order_relaxed);
    slot.version.store(version + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    const auto words = std::bit_cast<Words>(snapshot);
    for (std::size_t i = 0; i < kWords; ++i) {
        slot.words[i].store(words[i], std::memory_order_relaxed);
    }
    slot.version.store(version + 2, std::memory_order_release);
}

std::optional<Snapshot> SnapshotSlots::read(std::uint64_t number) const noexcept
{
    for (const Slot& slot : slots_) {
        const std::uint64_t before = slot.version.load(std::memory_order_acquire);
        if (before == 0 || before % 2 != 0) {
            continue;
        }
        Words words{};
        for (std::size_t i = 0; i < kWords; ++i) {
            words[i] = slot.words[i].load(std::memory_order_relaxed);
        }
        std::atomic_thread_fence(std::memory_order_acquire);
        if (slot.version.load(std::memory_order_relaxed) != before) {
            continue;
        }
        const auto snapshot = std::bit_cast<Snapshot>(words);
        if (snapshot.edge == number) {
            return snapshot;
        }
    }
    return std::nullopt;
}

}  // namespace dpdkperf::stats
