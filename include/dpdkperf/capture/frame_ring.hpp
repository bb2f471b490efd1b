#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace dpdkperf::capture {

enum class Direction : std::uint8_t { kReceived, kSent };

// What is known of a kept frame besides its bytes.
struct FrameHeader {
    std::uint32_t bytes = 0;
    std::uint16_t interface = 0;  // Capture::add_interface()
    Direction direction = Direction::kReceived;
    std::int64_t at_ns = 0;  // since 1970
};

// Frames on their way from one thread, the poller, to one other, the writer of the file. Nobody
// ever waits, and nothing is allocated after the construction.
class FrameRing {
public:
    // A thousand frames of either direction that are not cut fit into the default, and a long one.
    static constexpr std::size_t kBytes = std::size_t{8} << 20;
    // Frames that may be staged at a time.
    static constexpr std::size_t kMostStaged = 256;

    // `bytes`: a power of two, at least 64.
    explicit FrameRing(std::size_t bytes = kBytes);

    // Poller: room for the bytes of one more frame, which may be written there; empty if the ring
    // is full. Nobody sees the frame before commit().
    std::span<std::byte> stage(const FrameHeader& header) noexcept;
    // Poller: the first `frames` of those staged are the reader's now, the others are forgotten.
    void commit(std::size_t frames) noexcept;
    [[nodiscard]] std::size_t staged() const noexcept { return staged_; }

    // Reader: calls `use(const FrameHeader&, std::span<const std::byte>)` for each frame, in order.
    template <class Use>
    void drain(Use use)
    {
        const std::uint64_t end = committed_.load(std::memory_order_acquire);
        std::uint64_t at = read_.load(std::memory_order_relaxed);
        while (at != end) {
            FrameHeader header;
            std::memcpy(&header, place(at), sizeof header);
            if (header.bytes == kSkip) {
                at += size_ - (at & (size_ - 1));
            } else {
                use(header, std::span<const std::byte>{place(at + sizeof header), header.bytes});
                at += record_bytes(header.bytes);
            }
            read_.store(at, std::memory_order_release);
        }
    }

private:
    // In place of the bytes of a frame: the rest of the buffer is empty.
    static constexpr std::uint32_t kSkip = ~std::uint32_t{0};
    static constexpr std::size_t kAlign = sizeof(FrameHeader);

    static std::size_t record_bytes(std::size_t frame_bytes) noexcept
    {
        return sizeof(FrameHeader) + (frame_bytes + kAlign - 1) / kAlign * kAlign;
    }
    std::byte* place(std::uint64_t at) const noexcept { return &buffer_[at & (size_ - 1)]; }

    const std::size_t size_;
    const std::unique_ptr<std::byte[]> buffer_;
    // Positions only grow. Poller: writes committed_; reader: writes read_.
    alignas(64) std::atomic<std::uint64_t> committed_{0};
    alignas(64) std::atomic<std::uint64_t> read_{0};
    // The poller's alone: where the frames staged end.
    alignas(64) std::array<std::uint64_t, kMostStaged> ends_{};
    std::size_t staged_ = 0;
    std::uint64_t end_ = 0;
};
static_assert(sizeof(FrameHeader) == 16);

}  // namespace dpdkperf::capture
