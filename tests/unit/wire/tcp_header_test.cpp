#include "dpdkperf/wire/tcp_header.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

std::vector<std::byte> bytes(std::initializer_list<unsigned> values)
{
    std::vector<std::byte> out;
    for (const unsigned v : values) {
        out.push_back(static_cast<std::byte>(v));
    }
    return out;
}

// A header with these option bytes, padded to a multiple of four with `end of list`.
std::vector<std::byte> header_with(std::uint8_t flags, std::vector<std::byte> options)
{
    options.resize((options.size() + 3) / 4 * 4);
    std::vector<std::byte> header(kTcpSize);
    header[kTcpDataOffset] = static_cast<std::byte>((kTcpSize + options.size()) / 4 << 4);
    header[kTcpFlags] = std::byte{flags};
    header.resize(kTcpSize + options.size());
    std::copy(options.begin(), options.end(), header.begin() + kTcpSize);
    return header;
}

TcpOptions options_of(std::uint8_t flags, const std::vector<std::byte>& options)
{
    const auto parsed = parse_tcp_header(header_with(flags, options));
    EXPECT_TRUE(parsed);
    return parsed ? parsed->header.options : TcpOptions{};
}

// A SYN that Linux 6.18 sent over loopback (tcpdump -x), TCP part.
const std::vector<std::byte> kLinuxSyn =
    bytes({0xc6, 0x2c, 0x17, 0x6f, 0x69, 0x6c, 0xf6, 0xc9, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xff,
        0xd7, 0xfe, 0x30, 0x00, 0x00, 0x02, 0x04, 0xff, 0xd7, 0x04, 0x02, 0x08, 0x0a, 0xbf, 0xb5,
        0xc5, 0xa2, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x0a});

TEST(ParseTcpHeader, ReadsTheSynOfLinux)
{
    const auto parsed = parse_tcp_header(kLinuxSyn);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header_bytes, 40U);
    EXPECT_EQ(parsed->header.sequence, 0x696cf6c9U);
    EXPECT_EQ(parsed->header.flags, kTcpSyn);
    EXPECT_EQ(parsed->header.window, 65495);
    EXPECT_EQ(parsed->header.options.mss, 65495);
    EXPECT_EQ(parsed->header.options.window_scale, 10);
    EXPECT_TRUE(parsed->header.options.sack_permitted);
    ASSERT_TRUE(parsed->header.options.timestamps);
    EXPECT_EQ(parsed->header.options.timestamps->value, 0xbfb5c5a2U);
}

TEST(WriteTcpHeader, LaysOptionsOutAsLinuxDoes)
{
    const auto parsed = parse_tcp_header(kLinuxSyn);
    std::array<std::byte, kMaxTcpSize> out{};
    const std::size_t size = write_tcp_header(out, 0xc62c, 0x176f, parsed->header);
    auto expected = kLinuxSyn;
    std::memset(&expected[kTcpChecksum], 0, 2);
    ASSERT_EQ(size, expected.size());
    EXPECT_EQ(std::vector<std::byte>(out.begin(), out.begin() + 40), expected);
}

TEST(ParseTcpHeader, StopsAtAnImpossibleOptionAndKeepsWhatCameBefore)
{
    struct Case {
        const char* what;
        std::vector<std::byte> options;
        std::optional<std::uint16_t> mss;
    };
    const Case cases[] = {
        {"length 0", bytes({2, 4, 5, 180, 3, 0, 7, 0}), 1460},
        {"length 1", bytes({2, 4, 5, 180, 3, 1, 7, 0}), 1460},
        {"length behind the end", bytes({2, 4, 5, 180, 8, 10, 1, 2}), 1460},
        {"kind in the last byte", bytes({1, 1, 1, 2}), std::nullopt},
        {"wrong length for its kind is skipped", bytes({2, 3, 5, 2, 4, 5, 180, 0}), 1460},
        {"the last of two counts", bytes({2, 4, 1, 0, 2, 4, 5, 180}), 1460},
        {"behind the end of the list", bytes({0, 2, 4, 5, 180, 0, 0, 0}), std::nullopt},
        {"an unknown option is skipped", bytes({254, 6, 1, 2, 3, 4, 2, 4, 5, 180}), 1460},
        {"MSS 0 is told as it is", bytes({2, 4, 0, 0}), 0},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        EXPECT_EQ(options_of(kTcpSyn, c.options).mss, c.mss);
    }
}

TEST(ParseTcpHeader, KeepsOptionsOfASynOutOfOtherSegments)
{
    const auto all = bytes({2, 4, 5, 180, 4, 2, 3, 3, 7, 0});
    const TcpOptions none = options_of(kTcpAck, all);
    EXPECT_FALSE(none.mss || none.window_scale || none.sack_permitted);
    const TcpOptions syn = options_of(kTcpSyn | kTcpAck, all);
    EXPECT_TRUE(syn.mss && syn.window_scale && syn.sack_permitted);
    EXPECT_EQ(options_of(kTcpSyn, bytes({5, 10, 0, 0, 0, 1, 0, 0, 0, 2})).sack_count, 0);
}

TEST(ParseTcpHeader, RefusesADataOffsetOutsideThePacket)
{
    auto header = header_with(kTcpAck, {});
    for (unsigned words = 0; words < 16; ++words) {
        header[kTcpDataOffset] = static_cast<std::byte>(words << 4U);
        EXPECT_EQ(parse_tcp_header(header).has_value(), words == 5) << words;
    }
    EXPECT_FALSE(parse_tcp_header({}));
}

TEST(TcpHeader, SurvivesWritingAndReadingWithEveryCombinationOfOptions)
{
    for (unsigned mask = 0; mask < 32; ++mask) {
        SCOPED_TRACE(mask);
        const bool syn = (mask & 16) != 0;
        TcpHeader header;
        header.sequence = 0xfffffff0;
        header.flags = syn ? kTcpSyn : kTcpAck;
        if ((mask & 1) != 0) {
            header.options.timestamps = {1, 0xfffffffe};
        }
        if (syn && (mask & 2) != 0) {
            header.options.mss = 1460;
            header.options.window_scale = 14;
        }
        header.options.sack_permitted = syn && (mask & 4) != 0;
        if (!syn) {
            header.options.sack_count = static_cast<std::uint8_t>(mask >> 1U & 3U);
            header.options.sack = {{{1, 2}, {3, 4}, {0xfffffff0, 5}, {}}};
        }
        std::array<std::byte, kMaxTcpSize> out{};
        const std::size_t size = write_tcp_header(out, 1, 2, header);
        EXPECT_EQ(size, tcp_header_size(header.options));
        const auto back = parse_tcp_header({out.data(), size});
        ASSERT_TRUE(back);
        EXPECT_EQ(back->header.sequence, header.sequence);
        EXPECT_EQ(back->header.options.mss, header.options.mss);
        EXPECT_EQ(back->header.options.window_scale, header.options.window_scale);
        EXPECT_EQ(back->header.options.sack_permitted, header.options.sack_permitted);
        EXPECT_EQ(
            back->header.options.timestamps.has_value(), header.options.timestamps.has_value());
        ASSERT_EQ(back->header.options.sack_count, header.options.sack_count);
        for (std::size_t i = 0; i < header.options.sack_count; ++i) {
            EXPECT_EQ(back->header.options.sack[i].left, header.options.sack[i].left);
            EXPECT_EQ(back->header.options.sack[i].right, header.options.sack[i].right);
        }
    }
}

TEST(ParseTcpHeader, NeverReadsBeyondRandomOptions)
{
    std::mt19937 random{1};
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::byte> options(random() % 41);
        for (auto& b : options) {
            // Small numbers: kinds and lengths that mean something.
            b = static_cast<std::byte>(random() % (round % 2 == 0 ? 12 : 256));
        }
        const std::uint8_t flags = round % 3 == 0 ? kTcpSyn : kTcpAck;
        options.resize(options.size() / 4 * 4);
        EXPECT_LE(options_of(flags, options).sack_count, kMaxSackBlocks);
    }
}

}  // namespace
}  // namespace dpdkperf::wire
