#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "udp_frame.hpp"

#include <cstring>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

constexpr std::size_t kUdp = kEthernetSize + kIpv4Size;

TEST(ParseUdp, IgnoresEthernetPadding)
{
    const auto frame = udp_frame(true, 17, 23);
    const UdpView view = parse_udp(frame);
    ASSERT_EQ(view.fault, UdpFault::kNone);
    EXPECT_EQ(view.payload().size(), 17U);
    EXPECT_TRUE(udp_checksum_ok(view));
}

TEST(ParseUdp, NamesTheFaultOfABadFrame)
{
    struct Case {
        const char* what;
        std::function<void(std::vector<std::byte>&)> spoil;
        UdpFault fault;
    };
    const Case cases[] = {
        {"ARP", [](auto& f) { store_be<std::uint16_t>(&f[12], 0x0806); }, UdpFault::kNotUdp},
        {"TCP",
            [](auto& f) {
                f[kEthernetSize + kIpv4Protocol] = std::byte{6};
                fix_ip_checksum(f);
            },
            UdpFault::kNotUdp},
        {"fragment",
            [](auto& f) {
                store_be<std::uint16_t>(&f[kEthernetSize + kIpv4Fragment], 0x2000);
                fix_ip_checksum(f);
            },
            UdpFault::kNotUdp},
        {"IP checksum", [](auto& f) { f[kEthernetSize + kIpv4Ttl] = std::byte{1}; },
            UdpFault::kChecksum},
        {"header of 16 bytes", [](auto& f) { f[kEthernetSize] = std::byte{0x44}; },
            UdpFault::kLength},
        {"IP longer than the frame",
            [](auto& f) { store_be<std::uint16_t>(&f[kEthernetSize + kIpv4TotalLength], 46); },
            UdpFault::kLength},
        {"UDP longer than IP", [](auto& f) { store_be<std::uint16_t>(&f[kUdp + kUdpLength], 26); },
            UdpFault::kLength},
        {"UDP shorter than its header",
            [](auto& f) { store_be<std::uint16_t>(&f[kUdp + kUdpLength], 7); }, UdpFault::kLength},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        auto frame = udp_frame(true);
        c.spoil(frame);
        EXPECT_EQ(parse_udp(frame).fault, c.fault);
    }
}

TEST(ParseUdp, NeverReadsBeyondATruncatedFrame)
{
    for (const bool ipv4 : {true, false}) {
        const auto whole = udp_frame(ipv4);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            // A heap block of exactly this size: the sanitizer sees a read behind it.
            const std::vector<std::byte> frame{
                whole.begin(), whole.begin() + static_cast<long>(length)};
            EXPECT_NE(parse_udp(frame).fault, UdpFault::kNone) << length;
        }
    }
}

TEST(UdpChecksum, TellsRightWrongMissingAndPartialApart)
{
    for (const bool ipv4 : {true, false}) {
        auto frame = udp_frame(ipv4);
        const std::size_t at = udp_header_size(ipv4) - kUdpSize + kUdpChecksum;
        frame.back() ^= std::byte{1};
        EXPECT_FALSE(udp_checksum_ok(parse_udp(frame)));
        EXPECT_FALSE(udp_checksum_partial(parse_udp(frame)));

        store_be<std::uint16_t>(&frame[at], 0);
        EXPECT_EQ(udp_checksum_ok(parse_udp(frame)), ipv4);  // RFC 8200, 8.1: not over IPv6

        const UdpView view = parse_udp(frame);
        const std::uint16_t partial = fold(
            add_pseudo_header(0, view.source.address, view.destination.address, kProtocolUdp, 25));
        std::memcpy(&frame[at], &partial, sizeof partial);
        EXPECT_TRUE(udp_checksum_partial(parse_udp(frame)));
        EXPECT_FALSE(udp_checksum_ok(parse_udp(frame)));
    }
}

}  // namespace
}  // namespace dpdkperf::wire
