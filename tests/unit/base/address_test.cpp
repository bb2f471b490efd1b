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
