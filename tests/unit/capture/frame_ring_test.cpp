#include "dpdkperf/capture/frame_ring.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::capture {
namespace {

bool stage(FrameRing& ring, std::uint32_t bytes, std::uint8_t filler)
{
    const auto room = ring.stage({.bytes = bytes, .at_ns = filler});
    std::ranges::fill(room, std::byte{filler});
    return !room.empty();
}

// Fillers of the frames that the reader finds, each of which must be whole.
std::vector<int> read(FrameRing& ring)
{
    std::vector<int> found;
    ring.drain([&](const FrameHeader& header, std::span<const std::byte> frame) {
        const bool whole =
            frame.size() == header.bytes &&
            std::ranges::all_of(frame, [&](std::byte b) { return b == std::byte(header.at_ns); });
        found.push_back(whole ? static_cast<int>(header.at_ns) : -1);
    });
    return found;
}

TEST(FrameRing, ShowsOnlyWhatIsCommitted)
{
    FrameRing ring{1024};
    ASSERT_TRUE(stage(ring, 60, 1) && stage(ring, 61, 2) && stage(ring, 62, 3));
    EXPECT_TRUE(read(ring).empty());
    ring.commit(2);
    EXPECT_EQ(read(ring), (std::vector{1, 2}));
    ASSERT_TRUE(stage(ring, 60, 4));
    ring.commit(1);
    EXPECT_EQ(read(ring), std::vector{4}) << "the third was forgotten";
}

TEST(FrameRing, RefusesWhatItHasNoRoomFor)
{
    FrameRing ring{256};
    EXPECT_FALSE(stage(ring, 241, 1)) << "a header more than there is";
    ASSERT_TRUE(stage(ring, 100, 1));  // 16 + 112 bytes
    ASSERT_TRUE(stage(ring, 100, 2));
    EXPECT_FALSE(stage(ring, 1, 3));
    ring.commit(2);
    EXPECT_FALSE(stage(ring, 1, 3)) << "not read yet";
    EXPECT_EQ(read(ring), (std::vector{1, 2}));
    EXPECT_TRUE(stage(ring, 100, 3));
}

TEST(FrameRing, KeepsFramesWholeAtTheEdgeOfItsBuffer)
{
    FrameRing ring{1024};
    for (int i = 0; i < 1000; ++i) {
        const auto filler = static_cast<std::uint8_t>(i % 251);
        ASSERT_TRUE(stage(ring, static_cast<std::uint32_t>(1 + i * 7 % 300), filler)) << i;
        ring.commit(1);
        ASSERT_EQ(read(ring), std::vector{int{filler}}) << i;
    }
}

TEST(FrameRing, LosesNothingBetweenTwoThreads)
{
    constexpr int kFrames = 5'000;
    FrameRing ring{4096};
    std::jthread writer{[&] {
        for (int i = 0; i < kFrames;) {
            if (stage(ring, static_cast<std::uint32_t>(1 + i % 500),
                    static_cast<std::uint8_t>(i % 251))) {
                ++i;
            } else {
                std::this_thread::yield();
            }
            ring.commit(ring.staged());
        }
    }};
    for (int next = 0; next < kFrames;) {
        for (const int filler : read(ring)) {
            ASSERT_EQ(filler, next % 251);
            ++next;
        }
        std::this_thread::yield();
    }
}

}  // namespace
}  // namespace dpdkperf::capture
