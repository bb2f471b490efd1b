#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "dpdkperf/wire/tcp_view.hpp"

#include <array>
#include <cstring>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

TcpFlow flow(bool ipv4)
{
    return {.source_mac = {},
        .next_hop = {},
        .source = {*IpAddress::parse(ipv4 ? "192.0.2.1" : "2001:db8::1"), 1000},
        .destination = {*IpAddress::parse(ipv4 ? "192.0.2.2" : "2001:db8::2"), 5201},
        .tos = 0x2f};
}

std::vector<std::byte> tcp_frame(bool ipv4, std::size_t payload_bytes = 17, std::size_t padding = 0)
{
    const TcpFrameWriter writer{flow(ipv4)};
    TcpHeader header;
    header.acknowledgment = 2;
    header.flags = kTcpAck;
    header.options.timestamps = {4, 5};
    std::array<std::byte, kMaxTcpFrameHeader> buffer{};
    const auto written =
        writer.write(buffer, header, static_cast<std::uint32_t>(payload_bytes), Ecn::kCapable0);
    const std::vector<std::byte> payload(payload_bytes, std::byte{0x5a});
    const std::uint16_t sum = finish(add_bytes(written.sum, payload));
    std::memcpy(&buffer[written.checksum_offset], &sum, sizeof sum);
    std::vector<std::byte> frame{
        buffer.begin(), buffer.begin() + static_cast<long>(written.size_bytes)};
    frame.insert(frame.end(), payload.begin(), payload.end());
    frame.resize(frame.size() + padding);
    return frame;
}

TEST(TcpFrame, IsReadBackWithAValidChecksum)
{
    for (const bool ipv4 : {true, false}) {
        for (const std::size_t payload : {0U, 1U, 17U, 1448U}) {
            const auto frame = tcp_frame(ipv4, payload, 9);
            const TcpView view = parse_tcp(frame);
            ASSERT_EQ(view.fault, TcpFault::kNone);
            EXPECT_EQ(view.payload.size(), payload);
            EXPECT_EQ(view.source, flow(ipv4).source);
            EXPECT_EQ(view.destination, flow(ipv4).destination);
            EXPECT_EQ(view.ecn, Ecn::kCapable0);
            EXPECT_EQ(view.header.acknowledgment, 2U);
            EXPECT_TRUE(tcp_checksum_ok(view));
            EXPECT_FALSE(tcp_checksum_partial(view));
        }
    }
}

TEST(TcpFrame, CarriesAFlowLabelOverIpv6Alone)
{
    for (const bool ipv4 : {true, false}) {
        TcpFlow labelled = flow(ipv4);
        labelled.flow_label = 0xabcde;
        std::array<std::byte, kMaxTcpFrameHeader> with{}, without{};
        (void)TcpFrameWriter{labelled}.write(with, TcpHeader{}, 0, Ecn::kCapable0);
        (void)TcpFrameWriter{flow(ipv4)}.write(without, TcpHeader{}, 0, Ecn::kCapable0);
        // Version, traffic class 0x2c without its ECN bits and with ours, label (RFC 8200, 3).
        const auto first_word = load_be<std::uint32_t>(&with[kEthernetSize]);
        EXPECT_EQ(first_word, ipv4 ? load_be<std::uint32_t>(&without[kEthernetSize]) : 0x62eabcdeU);
        EXPECT_EQ(with == without, ipv4);
    }
}

TEST(TcpChecksum, NoticesAChangedBit)
{
    auto frame = tcp_frame(true);
    frame.back() ^= std::byte{1};
    EXPECT_FALSE(tcp_checksum_ok(parse_tcp(frame)));
}

TEST(TcpChecksum, TellsThePseudoHeadersSumFromARealOne)
{
    for (const bool ipv4 : {true, false}) {
        auto frame = tcp_frame(ipv4);
        const TcpView view = parse_tcp(frame);
        const std::uint16_t partial = fold(add_pseudo_header(0, view.source.address,
            view.destination.address, kProtocolTcp, static_cast<std::uint32_t>(view.tcp.size())));
        const auto at = static_cast<std::size_t>(view.tcp.data() - frame.data()) + kTcpChecksum;
        std::memcpy(&frame[at], &partial, sizeof partial);
        EXPECT_TRUE(tcp_checksum_partial(parse_tcp(frame)));
        EXPECT_FALSE(tcp_checksum_ok(parse_tcp(frame)));
    }
}

TEST(ParseTcp, ReadsAFrameInPiecesAsInOne)
{
    for (const bool ipv4 : {true, false}) {
        for (const std::size_t payload : {1U, 17U, 1448U}) {
            auto frame = tcp_frame(ipv4, payload);
            const std::span all{frame};
            const std::size_t headers = frame.size() - payload;
            for (const std::size_t first : {headers, headers + 1, headers + payload / 2}) {
                const std::size_t second = first + (frame.size() - first) / 3;
                const std::array<std::span<const std::byte>, 2> rest{
                    all.subspan(first, second - first), all.subspan(second)};
                const TcpView view = parse_tcp(all.first(first), frame.size());
                ASSERT_EQ(view.fault, TcpFault::kNone);
                EXPECT_EQ(view.payload_bytes, payload);
                EXPECT_EQ(view.payload.size(), first - headers);
                EXPECT_TRUE(tcp_checksum_ok(view, rest)) << first << ' ' << second;
                EXPECT_EQ(tcp_checksum_ok(view, std::span{rest}.first(1)), rest[1].empty())
                    << "a piece is lacking";
                frame.back() ^= std::byte{1};
                EXPECT_FALSE(tcp_checksum_ok(view, rest)) << "a bit is wrong";
                frame.back() ^= std::byte{1};
            }
        }
    }
}

TEST(ParseTcp, WantsAsMuchAsTheHeadersSayWhateverLiesInTheFirstPiece)
{
    const auto frame = tcp_frame(true, 100);
    const auto headers = std::span{frame}.first(frame.size() - 100);
    EXPECT_EQ(parse_tcp(headers, frame.size()).fault, TcpFault::kNone);
    EXPECT_EQ(parse_tcp(headers, frame.size() - 1).fault, TcpFault::kLength);
    EXPECT_EQ(parse_tcp(headers.first(headers.size() - 1), frame.size()).fault, TcpFault::kLength)
        << "headers in two pieces";
}

TEST(ParseTcp, NamesTheFaultOfABadFrame)
{
    struct Case {
        const char* what;
        std::function<void(std::vector<std::byte>&)> spoil;
        TcpFault fault;
    };
    constexpr std::size_t kTcp = kEthernetSize + kIpv4Size;
    const auto fix = [](auto& f) {
        std::byte* ip = &f[kEthernetSize];
        std::memset(ip + kIpv4Checksum, 0, 2);
        const std::uint16_t sum = finish(add_bytes(0, {ip, kIpv4Size}));
        std::memcpy(ip + kIpv4Checksum, &sum, sizeof sum);
    };
    const Case cases[] = {
        {"UDP",
            [&](auto& f) {
                f[kEthernetSize + kIpv4Protocol] = std::byte{17};
                fix(f);
            },
            TcpFault::kNotTcp},
        {"fragment",
            [&](auto& f) {
                store_be<std::uint16_t>(&f[kEthernetSize + kIpv4Fragment], 0x2000);
                fix(f);
            },
            TcpFault::kNotTcp},
        {"IP checksum", [](auto& f) { f[kEthernetSize + kIpv4Ttl] = std::byte{1}; },
            TcpFault::kIpChecksum},
        {"data offset 4", [](auto& f) { f[kTcp + kTcpDataOffset] = std::byte{0x40}; },
            TcpFault::kLength},
        {"data offset behind the end", [](auto& f) { f[kTcp + kTcpDataOffset] = std::byte{0xf0}; },
            TcpFault::kLength},
        {"to itself",
            [&](auto& f) {
                std::memcpy(
                    &f[kEthernetSize + kIpv4Source], &f[kEthernetSize + kIpv4Destination], 4);
                fix(f);
                std::memcpy(&f[kTcp + kTcpSourcePort], &f[kTcp + kTcpDestinationPort], 2);
            },
            TcpFault::kAddress},
        {"from a multicast",
            [&](auto& f) {
                store_be<std::uint32_t>(&f[kEthernetSize + kIpv4Source], 0xe0000001);
                fix(f);
            },
            TcpFault::kAddress},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        auto frame = tcp_frame(true);
        c.spoil(frame);
        EXPECT_EQ(parse_tcp(frame).fault, c.fault);
    }
}

TEST(ParseTcp, NeverReadsBeyondATruncatedFrame)
{
    for (const bool ipv4 : {true, false}) {
        const auto whole = tcp_frame(ipv4);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            // A heap block of exactly this size: the sanitizer sees a read behind it.
            const std::vector<std::byte> frame{
                whole.begin(), whole.begin() + static_cast<long>(length)};
            EXPECT_NE(parse_tcp(frame).fault, TcpFault::kNone) << length;
        }
    }
}

}  // namespace
}  // namespace dpdkperf::wire
