#include "dpdkperf/wire/toeplitz.hpp"

#include <array>
#include <numeric>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

// The key and the cases of Microsoft's "Verifying the RSS hash calculation".
constexpr std::array<std::uint8_t, kRssKeySize> kKey{0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
    0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
    0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

struct HashCase {
    const char* destination;
    std::uint16_t destination_port;
    const char* source;
    std::uint16_t source_port;
    std::uint32_t with_ports;
    std::uint32_t addresses_only;
};

constexpr HashCase kCases[] = {
    {"161.142.100.80", 1766, "66.9.149.187", 2794, 0x51ccc178, 0x323e8fc2},
    {"65.69.140.83", 4739, "199.92.111.2", 14230, 0xc626b0ea, 0xd718262a},
    {"12.22.207.184", 38024, "24.19.198.95", 12898, 0x5c2b394a, 0xd2d0a5de},
    {"209.142.163.6", 2217, "38.27.205.30", 48228, 0xafc7327f, 0x82989176},
    {"202.188.127.2", 1303, "153.39.163.191", 44251, 0x10e828a2, 0x5d1809c5},
    {"3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x40207d3d, 0x2cc18cd5},
    {"ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0xdde51bbf, 0x0f0c461c},
    {"fe80::200:f8ff:fe21:67cf", 38024, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, 0x02d1feef,
        0x4b61e985},
};

TEST(Toeplitz, IsMicrosoftsOverAddressesAndPorts)
{
    for (const HashCase& c : kCases) {
        SCOPED_TRACE(c.source);
        const Endpoint source{*IpAddress::parse(c.source), c.source_port};
        const Endpoint destination{*IpAddress::parse(c.destination), c.destination_port};
        EXPECT_EQ(rss_hash(kKey, source, destination), c.with_ports);
    }
}

TEST(Toeplitz, IsMicrosoftsOverAddressesAlone)
{
    for (const HashCase& c : kCases) {
        SCOPED_TRACE(c.source);
        std::vector<std::uint8_t> input;
        for (const char* text : {c.source, c.destination}) {
            const auto address = *IpAddress::parse(text);
            const auto bytes = address.v6_bytes();
            input.insert(input.end(), bytes.begin() + (address.is_v4() ? 12 : 0), bytes.end());
        }
        EXPECT_EQ(toeplitz(kKey, input), c.addresses_only);
    }
}

TEST(Toeplitz, ReadsNothingPastAShortKeyAndNothingPastItsNeedOfALongOne)
{
    std::vector<std::uint8_t> longer{kKey.begin(), kKey.end()};
    longer.resize(52, 0xff);
    std::array<std::uint8_t, 36> input{};
    input.fill(0xa5);
    EXPECT_EQ(toeplitz(longer, input), toeplitz(kKey, input));
    std::vector<std::uint8_t> padded{kKey.begin(), kKey.begin() + 10};
    const auto from_short = toeplitz(padded, input);
    padded.resize(40);
    EXPECT_EQ(from_short, toeplitz(padded, input));
    EXPECT_EQ(toeplitz({}, input), 0U);
    EXPECT_EQ(toeplitz(kKey, {}), 0U);
}

TEST(RssTable, IsEnteredByTheLowBits)
{
    std::array<std::uint16_t, 128> table{};
    std::iota(table.begin(), table.end(), std::uint16_t{0});
    EXPECT_EQ(queue_of(table, 0x51ccc178), 0x78);  // of 7 bits
    EXPECT_EQ(queue_of(std::span{table}.first(64), 0x51ccc178), 0x38);
    EXPECT_EQ(queue_of(std::span{table}.first(1), 0xffffffff), 0);
}

}  // namespace
}  // namespace dpdkperf::wire
