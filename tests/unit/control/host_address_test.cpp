// -B, which may be the name of a host.

#include "client_and_script.hpp"
#include "dpdkperf/control/host_address.hpp"
#include "sockets.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::test {
namespace {

using options::Family;

TEST(HostAddress, IsOfTheFamilyAskedFor)
{
    struct Case {
        const char* host;
        Family family;
        const char* address;
    };
    const Case cases[] = {{"localhost", Family::kIpv4, "127.0.0.1"},
        {"10.0.0.1", Family::kAny, "10.0.0.1"}, {"10.0.0.1", Family::kIpv4, "10.0.0.1"},
        {"fd00::1", Family::kAny, "fd00::1"}, {"fd00::1", Family::kIpv6, "fd00::1"}};
    for (const Case& c : cases) {
        const auto found = control::address_of(c.host, c.family);
        ASSERT_TRUE(found) << c.host << ": " << found.error().message;
        EXPECT_EQ(to_string(*found), c.address);
    }
    EXPECT_FALSE(control::address_of("10.0.0.1", Family::kIpv6));
    EXPECT_FALSE(control::address_of("fd00::1", Family::kIpv4));
}

TEST(HostAddress, NamesAHostThatDoesNotExist)
{
    const auto found = control::address_of("no..host", Family::kAny);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::kNotFound);
    EXPECT_EQ(found.error().message.find("cannot find host 'no..host': "), 0U);
}

TEST_F(ClientAndScript, TakesItsAddressByName)
{
    plan_.bind_address = "localhost";
    plan_.family = Family::kIpv4;
    paths_.error = Error{Errc::kBusy, "enough is known"};
    EXPECT_EQ(run_alone(), 1);
    ASSERT_EQ(paths_.requests.size(), 1U);
    EXPECT_EQ(paths_.requests[0].local, *IpAddress::parse("127.0.0.1"));
}

TEST(Listener, TakesItsAddressByName)
{
    asio::io_context loop;
    options::Plan plan;
    plan.bind_address = "localhost";
    plan.family = Family::kIpv4;
    const auto acceptor = control::listen_on(loop, plan, 0);
    ASSERT_TRUE(acceptor) << acceptor.error().message;
    EXPECT_EQ(acceptor->local_endpoint().address().to_string(), "127.0.0.1");

    plan.bind_address = "no..host";
    const auto none = control::listen_on(loop, plan, 0);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message.find("-B: cannot find host 'no..host': "), 0U);
}

}  // namespace
}  // namespace dpdkperf::test
