#include "dpdkperf/base/address.hpp"

#include <gtest/gtest.h>

namespace dpdkperf {
namespace {

TEST(IpAddress, ReadsAndPrintsBothFamilies)
{
    for (const char* text : {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::1", "fe80::1"}) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), text);
    }
}

TEST(IpAddress, UnmapsWhatDualStackSocketsReturn)
{
    const auto mapped = IpAddress::parse("::ffff:10.1.2.3");
    ASSERT_TRUE(mapped);
    EXPECT_TRUE(mapped->is_v4());
    EXPECT_EQ(mapped->v4(), 0x0a010203U);
    EXPECT_EQ(*mapped, IpAddress::from_v4(0x0a010203));
    EXPECT_EQ(to_string(*mapped), "10.1.2.3");
}

TEST(IpAddress, RejectsWhatIsNoAddressByName)
{
    const auto bad = IpAddress::parse("10.0.0.256");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "'10.0.0.256' is not an IP address");
}

TEST(IpAddress, KnowsItsSpecialRanges)
{
    EXPECT_TRUE(IpAddress{}.is_unspecified());
    EXPECT_TRUE(IpAddress::parse("127.1.2.3")->is_loopback());
    EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
    EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
    EXPECT_TRUE(IpAddress::parse("fe80::5")->is_link_local_v6());
    EXPECT_TRUE(IpAddress::parse("224.0.0.1")->is_multicast());
    EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
    EXPECT_FALSE(IpAddress::parse("10.0.0.1")->is_multicast());
}

TEST(IpPrefix, ReadsAndPrintsBothFamilies)
{
    for (const char* text : {"10.0.0.1/24", "0.0.0.0/0", "10.0.0.1/32", "fd00::1/64", "::/0"}) {
        const auto prefix = IpPrefix::parse(text);
        ASSERT_TRUE(prefix) << text;
        EXPECT_EQ(to_string(*prefix), text);
    }
}

TEST(IpPrefix, RejectionNamesTheText)
{
    struct Case {
        const char* text;
        const char* message;
    };
    const Case cases[] = {
        {"10.0.0.1", "'10.0.0.1' is not ADDRESS/LENGTH"},
        {"10.0.0.1/", "'10.0.0.1/' is not ADDRESS/LENGTH"},
        {"10.0.0.1/2x", "'10.0.0.1/2x' is not ADDRESS/LENGTH"},
        {"10.0.0.1/-1", "'10.0.0.1/-1' is not ADDRESS/LENGTH"},
        {"10.0.0.1/33", "'10.0.0.1/33': the length is at most 32"},
        {"fd00::1/129", "'fd00::1/129': the length is at most 128"},
        {"10.0.0/24", "'10.0.0' is not an IP address"},
    };
    for (const Case& c : cases) {
        const auto prefix = IpPrefix::parse(c.text);
        ASSERT_FALSE(prefix) << c.text;
        EXPECT_EQ(prefix.error().message, c.message);
    }
}

TEST(IpPrefix, ContainsTheAddressesOfItsNetworkOnly)
{
    struct Case {
        const char* prefix;
        const char* address;
        bool inside;
    };
    const Case cases[] = {
        {"10.0.0.1/24", "10.0.0.255", true},
        {"10.0.0.1/24", "10.0.1.1", false},
        {"10.0.0.1/23", "10.0.1.1", true},
        {"10.0.0.1/31", "10.0.0.2", false},
        {"10.0.0.1/32", "10.0.0.1", true},
        {"10.0.0.1/0", "192.0.2.1", true},
        {"10.0.0.1/0", "fd00::1", false},
        {"fd00::1/64", "fd00::ffff:1", true},
        {"fd00::1/64", "fd00:0:0:1::1", false},
        {"::/0", "fd00::1", true},
        {"::/0", "10.0.0.1", false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(IpPrefix::parse(c.prefix)->contains(*IpAddress::parse(c.address)), c.inside)
            << c.prefix << " " << c.address;
    }
}

TEST(Endpoint, PutsBracketsAroundIpv6)
{
    EXPECT_EQ(to_string(Endpoint{*IpAddress::parse("10.0.0.1"), 5201}), "10.0.0.1:5201");
    EXPECT_EQ(to_string(Endpoint{*IpAddress::parse("fe80::1"), 5201}), "[fe80::1]:5201");
}

TEST(Mac, PrintsAsEverybodyDoes)
{
    EXPECT_EQ(to_string(Mac{{0x02, 0, 0xab, 0, 0, 1}}), "02:00:ab:00:00:01");
}

}  // namespace
}  // namespace dpdkperf
