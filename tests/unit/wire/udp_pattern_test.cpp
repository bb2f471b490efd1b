#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/udp_pattern.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "udp_frame.hpp"

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

using Frame = std::vector<std::byte>;

constexpr std::size_t kPayload = 18;

UdpPattern pattern_of(const Frame& frame)
{
    return {frame, parse_udp(frame)};
}

class UdpPatternOf : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Families, UdpPatternOf, testing::Values(true, false),
    [](const auto& family) { return family.param ? "Ipv4" : "Ipv6"; });

TEST(UdpPattern, OfNothingMatchesNothing)
{
    const UdpPattern none;
    EXPECT_FALSE(none.matches({}));
    EXPECT_FALSE(none.matches(udp_frame(true, kPayload)));
}

TEST_P(UdpPatternOf, SeesTheDatagramAsTheParserDoes)
{
    const Frame frame = udp_frame(GetParam(), kPayload);
    const UdpPattern pattern = pattern_of(frame);
    ASSERT_TRUE(pattern.matches(frame));
    const UdpView seen = pattern.view(frame), parsed = parse_udp(frame);
    EXPECT_EQ(seen.fault, UdpFault::kNone);
    EXPECT_EQ(seen.ipv4, parsed.ipv4);
    EXPECT_EQ(seen.source, parsed.source);
    EXPECT_EQ(seen.destination, parsed.destination);
    EXPECT_EQ(seen.udp.data(), parsed.udp.data());
    EXPECT_EQ(seen.udp.size(), parsed.udp.size());
}

TEST_P(UdpPatternOf, MatchesWhatDiffersInPayloadAndItsChecksum)
{
    Frame frame = udp_frame(GetParam(), kPayload);
    const UdpPattern pattern = pattern_of(frame);
    for (std::size_t at = frame.size() - kPayload - 2; at < frame.size(); ++at) {
        frame[at] ^= std::byte{0xff};
        EXPECT_TRUE(pattern.matches(frame)) << at;
    }
}

TEST(UdpPattern, MatchesEveryIdentificationWithItsChecksum)
{
    Frame frame = udp_frame(true, kPayload);
    const UdpPattern pattern = pattern_of(frame);
    for (unsigned id = 0; id <= 0xffff; ++id) {
        store_be<std::uint16_t>(&frame[kEthernetSize + kIpv4Id], static_cast<std::uint16_t>(id));
        fix_ip_checksum(frame);
        ASSERT_TRUE(pattern.matches(frame)) << id;
        frame[kEthernetSize + kIpv4Checksum] ^= std::byte{0x10};
        ASSERT_FALSE(pattern.matches(frame)) << id;
    }
}

// Whatever is flipped behind the Ethernet addresses: what matches is what the parser takes for the
// same flow and length.
TEST_P(UdpPatternOf, NeverMatchesWhatTheParserRefuses)
{
    const Frame good = udp_frame(GetParam(), kPayload);
    const UdpPattern pattern = pattern_of(good);
    const UdpView first = parse_udp(good);
    std::mt19937 random{7};
    const std::size_t headers = good.size() - kPayload - 2;
    int refused = 0;
    for (int round = 0; round < 100'000; ++round) {
        Frame frame = good;
        for (int flips = std::uniform_int_distribution{1, 3}(random); flips > 0; --flips) {
            const std::size_t at = std::uniform_int_distribution{kEtherType, headers - 1}(random);
            frame[at] ^= static_cast<std::byte>(std::uniform_int_distribution{1, 255}(random));
        }
        if (GetParam() && round % 2 == 0) {
            fix_ip_checksum(frame);
        }
        const UdpView view = parse_udp(frame);
        const bool same = view.fault == UdpFault::kNone && view.source == first.source &&
                          view.destination == first.destination &&
                          view.udp.size() == first.udp.size();
        refused += same ? 0 : 1;
        if (!same) {
            ASSERT_FALSE(pattern.matches(frame)) << round;
        }
    }
    EXPECT_GT(refused, 50'000);
}

TEST_P(UdpPatternOf, MatchesNoOtherLength)
{
    Frame frame = udp_frame(GetParam(), kPayload);
    const UdpPattern pattern = pattern_of(frame);
    frame.resize(frame.size() + 1);
    EXPECT_FALSE(pattern.matches(frame));
    for (std::size_t size = 0; size + 1 < frame.size(); ++size) {
        EXPECT_FALSE(pattern.matches(std::span{frame}.first(size))) << size;
    }
}

TEST(UdpPattern, OfAHeaderWithOptionsMatchesNothing)
{
    Frame frame = udp_frame(true, kPayload);
    const std::array<std::byte, 4> nothing{std::byte{1}, std::byte{1}, std::byte{1}, std::byte{0}};
    frame.insert(frame.begin() + kEthernetSize + kIpv4Size, nothing.begin(), nothing.end());
    std::byte* ip = &frame[kEthernetSize];
    ip[0] = std::byte{0x46};
    store_be<std::uint16_t>(
        ip + kIpv4TotalLength, static_cast<std::uint16_t>(frame.size() - kEthernetSize));
    std::memset(ip + kIpv4Checksum, 0, 2);
    const std::uint16_t sum = finish(add_bytes(0, {ip, kIpv4Size + nothing.size()}));
    std::memcpy(ip + kIpv4Checksum, &sum, sizeof sum);
    ASSERT_EQ(parse_udp(frame).fault, UdpFault::kNone);
    EXPECT_FALSE(pattern_of(frame).matches(frame));
}

}  // namespace
}  // namespace dpdkperf::wire
