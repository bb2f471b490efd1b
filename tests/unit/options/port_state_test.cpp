#include "dpdkperf/options/port_state.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::options {
namespace {

// As scripts/bind writes it (docs/binding.md), shortened.
constexpr std::string_view kTaken = R"({"version": 1, "phase": "taken", "pci": "0000:00:04.0",
    "model": "1af4:1041", "interface": "eth1", "mac": "52:54:00:00:01:01", "mtu": 9000,
    "addresses": ["10.0.0.1/24", "fd00::1/64"],
    "routes": [{"destination": "10.1.0.0/16", "gateway": "10.0.0.7", "dev": "eth1", "family": 4},
               {"destination": "default", "gateway": "10.0.0.254", "dev": "eth1", "family": 4},
               {"destination": "default", "gateway": "10.0.0.253", "metric": 200, "family": 4},
               {"destination": "default", "gateway": "fe80::1", "dev": "eth1", "family": 6},
               {"destination": "default", "gateway": "fd00::fe", "dev": "eth1", "family": 6}]})";

TEST(PortState, IsReadFromTheFileOfBind)
{
    const auto state = parse_port_state(kTaken);
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->model, "1af4:1041");
    EXPECT_EQ(state->mtu_bytes, 9000U);
    ASSERT_EQ(state->addresses.size(), 2U);
    EXPECT_EQ(to_string(state->addresses[0]), "10.0.0.1/24");
    EXPECT_EQ(to_string(state->addresses[1]), "fd00::1/64");
    ASSERT_EQ(state->gateways.size(), 2U);
    EXPECT_EQ(to_string(state->gateways[0]), "10.0.0.254");
    EXPECT_EQ(to_string(state->gateways[1]), "fd00::fe");
}

TEST(PortState, ThatCannotBeUsedIsRefusedWithTheReason)
{
    struct Case {
        std::string_view text, message;
    };
    const Case cases[] = {
        {"", "is no JSON object"},
        {"[1]", "is no JSON object"},
        {R"({"version": 2, "phase": "taken"})", "has another version than 1"},
        {R"({"phase": "taken"})", "has another version than 1"},
        {R"({"version": 1, "phase": "giving-back"})",
            "the card is not taken ('giving-back'); run 'scripts/bind status'"},
        {R"({"version": 1})", "the card is not taken (''); run 'scripts/bind status'"},
        {R"({"version": 1, "phase": "taken"})", "has no MTU"},
        {R"({"version": 1, "phase": "taken", "mtu": "1500"})", "has no MTU"},
        {R"({"version": 1, "phase": "taken", "mtu": 1500, "addresses": ["10.0.0.1"]})",
            "addresses: '10.0.0.1' is not ADDRESS/LENGTH"},
        {R"({"version": 1, "phase": "taken", "mtu": 1500, "addresses": [7]})",
            "addresses: '7' is not ADDRESS/LENGTH"},
    };
    for (const Case& c : cases) {
        const auto state = parse_port_state(c.text);
        ASSERT_FALSE(state) << c.text;
        EXPECT_EQ(state.error().message, c.message);
    }
}

TEST(PortState, FillsInOnlyWhatTheUserDidNotSay)
{
    const auto state = parse_port_state(kTaken);
    ASSERT_TRUE(state);
    Plan silent;
    complete(silent, *state);
    EXPECT_EQ(silent.addresses, state->addresses);
    EXPECT_EQ(silent.gateways, state->gateways);
    EXPECT_EQ(silent.mtu_bytes, 9000U);

    Plan other;
    other.addresses = {*IpPrefix::parse("192.0.2.1/24")};
    complete(other, *state);
    EXPECT_EQ(other.addresses.size(), 1U);
    EXPECT_TRUE(other.gateways.empty());
    EXPECT_FALSE(other.mtu_bytes);

    Plan server;
    server.role = Role::kServer;
    server.mtu_bytes = 1400;
    complete(server, *state);
    EXPECT_TRUE(server.gateways.empty()) << "nobody asked for a default route";
    EXPECT_EQ(server.mtu_bytes, 1400U);
}

}  // namespace
}  // namespace dpdkperf::options
