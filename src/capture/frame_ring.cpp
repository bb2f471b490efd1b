#include "dpdkperf/capture/frame_ring.hpp"

namespace dpdkperf::capture {

FrameRing::FrameRing(std::size_t bytes) : size_{bytes}, buffer_{new std::byte[bytes]} {}

std::span<std::byte> FrameRing::stage(const FrameHeader& header) noexcept
{
    std::uint64_t at = end_;
    const std::size_t needed = record_bytes(header.bytes);
    const std::size_t to_edge = size_ - (at & (size_ - 1));
    const std::size_t skipped = needed > to_edge ? to_edge : 0;
    const std::uint64_t used = at + skipped + needed - read_.load(std::memory_order_acquire);
    if (used > size_ || staged_ == kMostStaged) {
        return {};
    }
    if (skipped > 0) {
        const FrameHeader skip{.bytes = kSkip};
        std::memcpy(place(at), &skip, sizeof skip);
        at += skipped;
    }
    std::memcpy(place(at), &header, sizeof header);
    end_ = at + needed;
    ends_[staged_++] = end_;
    return {place(at + sizeof header), header.bytes};
}

void FrameRing::commit(std::size_t frames) noexcept
{
    if (frames > 0) {
        committed_.store(ends_[frames - 1], std::memory_order_release);
    }
    end_ = committed_.load(std::memory_order_relaxed);
    staged_ = 0;
}

}  // namespace dpdkperf::capture
