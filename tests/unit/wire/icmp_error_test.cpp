#include "dpdkperf/wire/icmp_error.hpp"
#include "icmp_message.hpp"

#include <cerrno>
#include <functional>

#include <gtest/gtest.h>

namespace dpdkperf::wire {
namespace {

IpAddress v6(std::uint8_t last)
{
    return IpAddress::from_v6_bytes({0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
}

IcmpMessage of_ipv6(std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0)
{
    IcmpMessage message;
    message.type = type;
    message.code = code;
    message.rest = rest;
    message.source.address = v6(1);
    message.destination.address = v6(2);
    return message;
}

TEST(ParseIcmpError, ReadsThePathMtuAndWhatWasTooLarge)
{
    const IcmpMessage messages[] = {{}, of_ipv6(2, 0, 1'400)};
    for (const IcmpMessage& message : messages) {
        const bool ipv4 = message.source.address.is_v4();
        const auto error = parse_icmp_error(message.bytes(), ipv4);
        ASSERT_TRUE(error) << ipv4;
        EXPECT_EQ(error->kind, IcmpError::Kind::kTooBig);
        EXPECT_EQ(error->mtu_bytes, 1'400U);
        EXPECT_EQ(error->protocol, kProtocolTcp);
        EXPECT_EQ(error->source, message.source);
        EXPECT_EQ(error->destination, message.destination);
        EXPECT_EQ(error->sequence, 0x12345678U);
    }
}

TEST(ParseIcmpError, KnowsAnMtuOf32BitsInIpv6Only)
{
    EXPECT_EQ(parse_icmp_error(of_ipv6(2, 0, 100'000).bytes(), false)->mtu_bytes, 100'000U);
    IcmpMessage message;
    message.rest = 0xffff'0000;  // the upper half has no meaning
    EXPECT_EQ(parse_icmp_error(message.bytes(), true)->mtu_bytes, 0U);
}

TEST(ParseIcmpError, GivesLinuxsErrno)
{
    struct Case {
        bool ipv4;
        std::uint8_t type, code;
        int error;
        bool fatal;
    };
    const Case cases[] = {
        {true, 3, 0, ENETUNREACH, false},
        {true, 3, 1, EHOSTUNREACH, false},
        {true, 3, 3, ECONNREFUSED, true},
        {true, 3, 13, EHOSTUNREACH, true},
        {true, 3, 15, EHOSTUNREACH, true},
        {true, 11, 0, EHOSTUNREACH, false},
        {false, 1, 0, ENETUNREACH, false},
        {false, 1, 1, EACCES, true},
        {false, 1, 4, ECONNREFUSED, true},
        {false, 1, 6, EACCES, true},
        {false, 3, 0, EHOSTUNREACH, false},
    };
    for (const Case& c : cases) {
        IcmpMessage message = c.ipv4 ? IcmpMessage{} : of_ipv6(0, 0);
        message.type = c.type;
        message.code = c.code;
        message.protocol = kProtocolUdp;
        const auto error = parse_icmp_error(message.bytes(), c.ipv4);
        ASSERT_TRUE(error) << int{c.type} << ' ' << int{c.code};
        EXPECT_EQ(error->kind, IcmpError::Kind::kUndeliverable);
        EXPECT_EQ(error->error, c.error) << int{c.type} << ' ' << int{c.code};
        EXPECT_EQ(error->fatal, c.fatal) << int{c.type} << ' ' << int{c.code};
        EXPECT_EQ(error->protocol, kProtocolUdp);
        EXPECT_EQ(error->sequence, 0U);
    }
}

TEST(ParseIcmpError, PassesOverWhatIsNoErrorOfOurs)
{
    struct Case {
        const char* what;
        bool ipv4;
        std::uint8_t type, code;
    };
    const Case cases[] = {
        {"echo reply", true, 0, 0},
        {"source quench", true, 4, 0},
        {"redirect", true, 5, 1},
        {"an unknown code", true, 3, 16},
        {"the last code", true, 3, 255},
        {"a type of the other family", true, 2, 0},
        {"echo request", false, 128, 0},
        {"an unknown code, IPv6", false, 1, 7},
        {"parameter problem", false, 4, 1},
        {"neighbour advertisement", false, 136, 0},
    };
    for (const Case& c : cases) {
        IcmpMessage message = c.ipv4 ? IcmpMessage{} : of_ipv6(0, 0);
        message.type = c.type;
        message.code = c.code;
        EXPECT_FALSE(parse_icmp_error(message.bytes(), c.ipv4)) << c.what;
    }
}

TEST(ParseIcmpError, RefusesQuotesThatCanNotBeRead)
{
    struct Case {
        const char* what;
        std::function<void(std::vector<std::byte>&)> spoil;
    };
    constexpr std::size_t kIp = 8;
    const Case cases[] = {
        {"another protocol", [](auto& m) { m[kIp + kIpv4Protocol] = std::byte{1}; }},
        {"version 6", [](auto& m) { m[kIp] = std::byte{0x65}; }},
        {"a header of 16 bytes", [](auto& m) { m[kIp] = std::byte{0x44}; }},
        {"a header beyond the end", [](auto& m) { m[kIp] = std::byte{0x4f}; }},
        {"a header that leaves no ports", [](auto& m) { m[kIp] = std::byte{0x47}; }},
        {"shorter than its header",
            [](auto& m) { store_be<std::uint16_t>(&m[kIp + kIpv4TotalLength], 19); }},
        {"a later fragment", [](auto& m) { store_be<std::uint16_t>(&m[kIp + kIpv4Fragment], 5); }},
    };
    for (const Case& c : cases) {
        auto message = IcmpMessage{}.bytes();
        c.spoil(message);
        IcmpMessage::sign(message);
        EXPECT_FALSE(parse_icmp_error(message, true)) << c.what;
    }
}

TEST(ParseIcmpError, TakesAQuoteWhoseChecksumARouterHasBroken)
{
    auto message = IcmpMessage{}.bytes();
    store_be<std::uint16_t>(&message[8 + kIpv4Checksum], 0xbad0);
    IcmpMessage::sign(message);
    EXPECT_TRUE(parse_icmp_error(message, true));
}

TEST(ParseIcmpError, WantsTheChecksumOfIcmpButNotOfIcmpv6)
{
    auto message = IcmpMessage{}.bytes();
    message[3] ^= std::byte{1};
    EXPECT_FALSE(parse_icmp_error(message, true));
    message = of_ipv6(2, 0, 1'400).bytes();
    message[3] ^= std::byte{1};
    EXPECT_TRUE(parse_icmp_error(message, false));
}

TEST(ParseIcmpError, RefusesEveryMessageThatIsCutShort)
{
    for (const bool ipv4 : {true, false}) {
        const auto whole = (ipv4 ? IcmpMessage{} : of_ipv6(2, 0, 1'400)).bytes();
        ASSERT_TRUE(parse_icmp_error(whole, ipv4));
        for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
            std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<long>(bytes));
            if (ipv4 && bytes >= 4) {
                IcmpMessage::sign(part);
            }
            EXPECT_FALSE(parse_icmp_error(part, ipv4)) << bytes << " bytes";
        }
    }
}

}  // namespace
}  // namespace dpdkperf::wire
