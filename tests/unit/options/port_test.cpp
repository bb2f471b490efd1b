#include "dpdkperf/options/options.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::options {
namespace {

using Arguments = std::vector<std::string_view>;

TEST(PortOptions, ReachTheirPlaceInThePlan)
{
    const auto plan = parse(Arguments{"-a", "5e:00.0", "--", "-c", "h", "--ip", "10.0.0.1/24",
        "--ip=fd00::1/64", "--gateway", "10.0.0.254", "--gateway", "fd00::fe", "--default-route",
        "--mtu", "9000", "--rx-csum", "full", "--dry-run", "--impair", "tx:loss=1%", "--impair",
        "rx:delay=5ms,seed=4", "--user", "nobody", "--pcap", "a:b.pcapng:20"});
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->addresses.size(), 2U);
    EXPECT_EQ(to_string(plan->addresses[0]), "10.0.0.1/24");
    EXPECT_EQ(to_string(plan->addresses[1]), "fd00::1/64");
    ASSERT_EQ(plan->gateways.size(), 2U);
    EXPECT_EQ(to_string(plan->gateways[1]), "fd00::fe");
    EXPECT_TRUE(plan->default_route && plan->verify_all_checksums && plan->dry_run);
    EXPECT_EQ(plan->mtu_bytes, 9000U);
    EXPECT_EQ(to_string(plan->impairment), "tx:loss=1% rx:delay=5ms seed=4");
    EXPECT_EQ(plan->user, "nobody");
    EXPECT_EQ(plan->pcap_file, "a:b.pcapng");
    EXPECT_EQ(plan->pcap_frames, 20U);
    EXPECT_EQ(parse(Arguments{"-s", "--pcap", "a:b"})->pcap_file, "a:b");
    EXPECT_EQ(parse(Arguments{"-s", "--pcap", "a:b"})->pcap_frames, 1000U);
    EXPECT_FALSE(parse(Arguments{"-c", "h"})->impairment.any());
}

TEST(PortOptions, RejectionNamesTheOptionAndTheValue)
{
    struct Case {
        Arguments arguments;
        std::string_view message;
    };
    const Case cases[] = {
        {{"-c", "h", "--ip", "10.0.0.1"}, "--ip '10.0.0.1': '10.0.0.1' is not ADDRESS/LENGTH"},
        {{"-c", "h", "--ip", "224.0.0.1/24"},
            "--ip '224.0.0.1/24': not the address of a single host"},
        {{"-c", "h", "--ip", "0.0.0.0/0"}, "--ip '0.0.0.0/0': not the address of a single host"},
        {{"-c", "h", "--gateway", "gw"}, "--gateway 'gw': 'gw' is not an IP address"},
        {{"-c", "h", "--gateway", "10.0.0.2", "--gateway", "10.0.0.3"},
            "--gateway '10.0.0.3': there is a gateway of this family already"},
        {{"-c", "h", "--ip", "10.0.0.1/24", "--gateway", "10.0.1.1"},
            "--gateway '10.0.1.1': is in the network of no --ip"},
        {{"-s", "--ip", "10.0.0.1/24", "--gateway", "10.0.0.2"},
            "--gateway '10.0.0.2': a server can't know who is behind it; add --default-route"},
        {{"-c", "h", "--default-route"}, "--default-route: needs a --gateway"},
        {{"-c", "h", "--mtu", "67"}, "--mtu '67': must be from 68 to 65521"},
        {{"-c", "h", "--mtu", "9k"}, "--mtu '9k': not a number"},
        {{"-c", "h", "--rx-csum", "none"}, "--rx-csum 'none': must be 'auto' or 'full'"},
        {{"-s", "--user", ""}, "--user '': must be the name of a user"},
        {{"-s", "--pcap", ":7"}, "--pcap ':7': must be the name of a file"},
        {{"-s", "--pcap", "f:0"}, "--pcap 'f:0': must be from 1 to 1000000 frames"},
        {{"-c", "h", "--impair", "loss=1"},
            "--impair 'loss=1': '1' is not a percentage from 0% to 100%"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        const auto plan = parse(c.arguments);
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, Errc::kUsage);
        EXPECT_EQ(plan.error().message, c.message);
    }
}

TEST(PortOptions, LeaveTheAbbreviationsOfIperf3Alone)
{
    // --default-route, --dry-run and --mtu are ours.
    for (const auto& [text, message] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"--de=x", "--debug 'x': not a number"},
             {"--m", "--mptcp (-m) is not supported: MPTCP joins paths of the kernel's sockets; "
                     "data passes by none of them here"},
             {"--ge=x", "option '--get-server-output' doesn't allow an argument"}}) {
        const auto plan = parse(Arguments{"-c", "h", text});
        ASSERT_FALSE(plan) << text;
        EXPECT_EQ(plan.error().message, message);
    }
    const auto plan = parse(Arguments{"-c", "h", "--dry", "--gat", "10.0.0.1"});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_TRUE(plan->dry_run);
    EXPECT_EQ(plan->gateways.size(), 1U);
}

}  // namespace
}  // namespace dpdkperf::options
