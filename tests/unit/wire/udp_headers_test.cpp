#include "dpdkperf/wire/udp_headers.hpp"
#include "dpdkperf/wire/udp_view.hpp"

#include <cstring>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

std::string hex(std::span<const std::byte> bytes)
{
    std::string text;
    for (const std::byte b : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[std::to_integer<std::size_t>(b) >> 4U];
        text += kDigits[std::to_integer<std::size_t>(b) & 0xfU];
    }
    return text;
}

UdpFlow flow(const char* from, const char* to)
{
    return {.source_mac = {{2, 0, 0, 0, 0, 1}},
        .next_hop = {{2, 0, 0, 0, 0, 2}},
        .source = {*IpAddress::parse(from), 40000},
        .destination = {*IpAddress::parse(to), 5201},
        .tos = 0xb8};
}

// Field by field from RFC 791, 8200 and 768; the IPv4 checksum was added up by hand.
TEST(UdpHeaders, WriteIpv4WithChecksumAndDontFragment)
{
    const UdpHeaders headers{flow("10.9.0.1", "10.9.0.2"), 18};
    EXPECT_EQ(hex(headers.bytes()), "020000000002020000000001"
                                    "0800"
                                    "45b8002e00004000"
                                    "401125f30a0900010a090002"
                                    "9c401451001a0000");
}

TEST(UdpHeaders, WriteIpv6WithTrafficClassAndFlowLabel)
{
    UdpFlow labelled = flow("fd00::1", "fd00::2");
    labelled.flow_label = 0xabcde;
    const UdpHeaders headers{labelled, 18};
    EXPECT_EQ(hex(headers.bytes()), "020000000002020000000001"
                                    "86dd"
                                    "6b8abcde001a1140"
                                    "fd000000000000000000000000000001"
                                    "fd000000000000000000000000000002"
                                    "9c401451001a0000");
}

// A whole frame made from the headers and their base sum is valid to the parser.
TEST(UdpHeaders, GiveAValidFrameForEveryPayloadLength)
{
    for (const bool ipv4 : {true, false}) {
        const auto f = ipv4 ? flow("10.9.0.1", "10.9.0.2") : flow("fd00::1", "fd00::2");
        for (std::uint16_t length = 16; length < 64; ++length) {
            const UdpHeaders headers{f, length};
            std::vector<std::byte> frame{headers.bytes().begin(), headers.bytes().end()};
            for (std::size_t i = 0; i < length; ++i) {
                frame.push_back(static_cast<std::byte>(i * 37 + length));
            }
            const auto payload = std::span{frame}.subspan(headers.bytes().size());
            const std::uint16_t sum = finish_udp(add_bytes(headers.base_sum(), payload));
            std::memcpy(&frame[headers.checksum_offset()], &sum, sizeof sum);

            const UdpView view = parse_udp(frame);
            ASSERT_EQ(view.fault, UdpFault::kNone);
            EXPECT_TRUE(udp_checksum_ok(view));
            EXPECT_EQ(view.source, f.source);
            EXPECT_EQ(view.destination, f.destination);
            EXPECT_EQ(view.payload().size(), length);
        }
    }
}

}  // namespace
}  // namespace dpdkperf::wire
