// Our server and our client.

#include "control_world.hpp"
#include "dpdkperf/control/client.hpp"
#include "dpdkperf/control/server.hpp"
#include "fake_traffic.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::test {
namespace {

struct Mode {
    const char* name;
    void (*adapt)(options::Plan& plan);
    std::size_t streams;
};

class OursAndOurs : public testing::TestWithParam<Mode> {};

TEST_P(OursAndOurs, GetAlong)
{
    asio::io_context loop;
    FakeTraffic server_traffic, client_traffic;
    FakeSteering server_steering, client_steering;
    FakePaths server_paths{loop, server_traffic, server_steering};
    FakePaths client_paths{loop, client_traffic, client_steering};
    FakeWatch watch;
    RecordingSink server_sink, client_sink;
    options::Plan server_plan;
    server_plan.role = options::Role::kServer;
    server_plan.port = 0;
    server_plan.one_off = true;
    control::Server server{loop, server_plan, server_paths, watch, server_sink, server_sink};
    server.run([](int) {});

    options::Plan plan;
    plan.protocol = options::Protocol::kUdp;
    plan.host = "127.0.0.1";
    plan.port = server.port();
    plan.blocks = 50;
    plan.block_bytes = 100;
    GetParam().adapt(plan);
    int exit_code = -1;
    control::ClientTest client{loop, plan, client_paths, watch, client_sink};
    client.run([&](int code) { exit_code = code; });
    loop.run();  // until both have nothing left to wait for

    EXPECT_EQ(exit_code, 0);
    EXPECT_EQ(client_sink.failures, std::vector<std::string>{});
    EXPECT_EQ(server_sink.failures, std::vector<std::string>{});
    EXPECT_EQ(client_sink.calls.back(), "success");
    EXPECT_EQ(server_sink.calls.back(), "success");
    EXPECT_EQ(client_traffic.sessions.at(0).streams.size(), GetParam().streams);
    EXPECT_EQ(server_traffic.sessions.at(0).streams.size(), GetParam().streams);
    EXPECT_EQ(client_sink.summaries.at(0).streams.size(), GetParam().streams);
}

INSTANTIATE_TEST_SUITE_P(Modes, OursAndOurs,
    testing::Values(Mode{"Plain", [](options::Plan&) {}, 1},
        Mode{"Reverse", [](options::Plan& p) { p.reverse = true; }, 1},
        Mode{"BidirectionalParallel",
            [](options::Plan& p) {
                p.bidirectional = true;
                p.parallel = 3;
            },
            6},
        Mode{"AllStreams",
            [](options::Plan& p) {
                p.bidirectional = true;
                p.parallel = 128;
                p.blocks = 1000;
            },
            256},
        Mode{"OverIpv6", [](options::Plan& p) { p.host = "::1"; }, 1}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace dpdkperf::test
