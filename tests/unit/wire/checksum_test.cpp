#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/checksum.hpp"

#include <bit>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

// RFC 1071, section 4.1, word by word in network order.
std::uint16_t naive(const std::vector<std::byte>& bytes)
{
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const auto low = i + 1 < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + 1]) : 0;
        sum += std::to_integer<std::uint32_t>(bytes[i]) << 8 | low;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

TEST(Checksum, IsTheOneOfTheRfcsExample)
{
    // RFC 1071, section 3: sum 0xddf2.
    const std::array<std::uint8_t, 8> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    EXPECT_EQ(byte_swap(fold(add_bytes(0, std::as_bytes(std::span{bytes})))), 0xddf2);
}

TEST(Checksum, AgreesWithTheNaiveSumForEveryLength)
{
    std::mt19937 random{1};
    for (std::size_t length = 0; length < 300; ++length) {
        std::vector<std::byte> bytes(length);
        for (auto& b : bytes) {
            b = static_cast<std::byte>(random());
        }
        EXPECT_EQ(byte_swap(finish(add_bytes(0, bytes))), naive(bytes)) << length;
    }
}

TEST(Checksum, KeepsEveryCarryOfAJumboFrameOfOnes)
{
    const std::vector<std::byte> bytes(9000, std::byte{0xff});
    EXPECT_EQ(fold(add_bytes(0, bytes)), 0xffff);
    EXPECT_EQ(fold(0x7fff'ffff'ffff'ffff), naive({std::byte{0x80}, std::byte{0}}));
}

TEST(Checksum, OfUdpIsNeverZero)
{
    EXPECT_EQ(finish(0xffff), 0);
    EXPECT_EQ(finish_udp(0xffff), 0xffff);
    EXPECT_EQ(finish_udp(0x1234), finish(0x1234));
}

TEST(Checksum, OfFewWordsNeedsFewerFolds)
{
    for (std::uint32_t sum = 0; sum < 1U << 20; ++sum) {
        ASSERT_EQ(finish_udp_small(sum), finish_udp(sum)) << sum;
    }
}

}  // namespace
}  // namespace dpdkperf::wire
