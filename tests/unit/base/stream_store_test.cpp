#include "dpdkperf/base/stream_store.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

namespace dpdkperf {
namespace {

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span{text});
}

// All that can be taken, piece by piece.
std::string taken_from(StreamStore& store)
{
    std::string text;
    for (auto piece = store.readable(); !piece.empty(); piece = store.readable()) {
        for (const std::byte b : piece) {
            text += static_cast<char>(b);
        }
        store.take(piece.size());
    }
    return text;
}

TEST(StreamStore, HandsOutWhatIsPublished)
{
    StreamStore store{16, 0};
    store.put(0, bytes_of("abcdef"));
    EXPECT_TRUE(store.readable().empty());
    store.publish(4);
    EXPECT_EQ(taken_from(store), "abcd");
    EXPECT_EQ(store.taken(), 4U);
    store.publish(6);
    EXPECT_EQ(taken_from(store), "ef");
}

TEST(StreamStore, PutsWhatIsOutOfOrderWhereItBelongs)
{
    StreamStore store{16, 0};
    store.put(4, bytes_of("efgh"));
    store.put(0, bytes_of("abcd"));
    store.publish(8);
    EXPECT_EQ(taken_from(store), "abcdefgh");
}

TEST(StreamStore, BeginsWhereTheStreamDoes)
{
    StreamStore store{16, 37};
    EXPECT_EQ(store.room_end(), 53U);
    store.put(37, bytes_of("abc"));
    store.publish(36);  // nothing of it
    EXPECT_TRUE(store.readable().empty());
    store.publish(40);
    EXPECT_EQ(taken_from(store), "abc");
}

TEST(StreamStore, HasRoomForItsSizeBehindWhatWasTaken)
{
    StreamStore store{8, 0};
    EXPECT_EQ(store.room_end(), 8U);
    store.put(0, bytes_of("abcdefgh"));
    store.publish(8);
    EXPECT_EQ(store.room_end(), 8U);
    store.take(3);
    EXPECT_EQ(store.room_end(), 11U);
    store.put(8, bytes_of("ijk"));
    store.publish(11);
    EXPECT_EQ(store.readable().size(), 5U);  // to the end of the memory
    EXPECT_EQ(taken_from(store), "defghijk");
}

TEST(StreamStore, NeverGoesBack)
{
    StreamStore store{8, 0};
    store.put(0, bytes_of("abcd"));
    store.publish(4);
    store.publish(2);
    EXPECT_EQ(store.published(), 4U);
}

constexpr std::byte byte_at(std::uint64_t position)
{
    return static_cast<std::byte>(position * 31 >> 3U);
}

TEST(StreamStore, PassesAStreamFromThreadToThread)
{
    constexpr std::uint64_t kEnd = 3'000'000;
    StreamStore store{4'096, 7};
    std::jthread taker{[&store] {
        std::uint64_t at = 7;
        while (at < kEnd) {
            const auto piece = store.readable();
            const std::size_t n = std::min<std::size_t>(piece.size(), 1 + at % 999);
            for (std::size_t i = 0; i < n; ++i) {
                ASSERT_EQ(piece[i], byte_at(at + i)) << at + i;
            }
            store.take(n);
            at += n;
            if (n == 0) {
                std::this_thread::yield();
            }
        }
    }};
    std::string block;
    for (std::uint64_t at = 7; at < kEnd;) {
        const std::uint64_t end = std::min({store.room_end(), at + 1 + at % 1'500, kEnd});
        if (end <= at) {
            std::this_thread::yield();
            continue;
        }
        block.clear();
        for (std::uint64_t i = at; i < end; ++i) {
            block += static_cast<char>(byte_at(i));
        }
        const std::size_t half = block.size() / 2;  // the second half comes first
        store.put(at + half, bytes_of(block).subspan(half));
        store.put(at, bytes_of(block).first(half));
        store.publish(end);
        at = end;
    }
    taker.join();
    EXPECT_EQ(store.taken(), kEnd);
}

}  // namespace
}  // namespace dpdkperf
