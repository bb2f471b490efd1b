// Whole tests over loopback between our control plane and Debian's iperf3, in both roles, with a
// data plane of kernel sockets. Takes a second per test.

#include "control_world.hpp"
#include "dpdkperf/control/client.hpp"
#include "dpdkperf/control/server.hpp"
#include "process.hpp"
#include "socket_traffic.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include <asio/ip/tcp.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// A TCP port that nobody has, a moment ago.
std::uint16_t free_port()
{
    asio::io_context loop;
    asio::ip::tcp::acceptor acceptor{loop, {asio::ip::address_v4::loopback(), 0}};
    return acceptor.local_endpoint().port();
}

// Until the kernel lists a listening socket on `port` (state 0A, proc(5)). A connection to find
// out would be a one-off server's only one.
void wait_for_listener(std::uint16_t port)
{
    std::array<char, 8> hex{};
    std::snprintf(hex.data(), hex.size(), ":%04X", port);
    while (true) {
        for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
            std::ifstream lines{table};
            for (std::string line; std::getline(lines, line);) {
                std::istringstream words{line};
                std::string number, local, remote, state;
                words >> number >> local >> remote >> state;
                if (state == "0A" && local.ends_with(hex.data())) {
                    return;
                }
            }
        }
        std::this_thread::yield();
    }
}

struct World {
    asio::io_context loop;
    SocketTraffic traffic;
    FakeSteering steering;
    FakePaths paths{loop, traffic, steering};
    FakeWatch watch;
    RecordingSink sink;
};

template <class T>
std::int64_t difference(T a, T b)
{
    return std::abs(static_cast<std::int64_t>(a) - static_cast<std::int64_t>(b));
}

options::Plan client_plan()
{
    options::Plan plan;
    plan.role = options::Role::kClient;
    plan.host = "127.0.0.1";
    plan.protocol = options::Protocol::kUdp;
    plan.rate = BitRate::from_bps(2'000'000);
    plan.block_bytes = 1000;
    plan.duration = 1s;
    plan.interval = 500ms;
    return plan;
}

struct ClientCase {
    const char* name;
    void (*adapt)(options::Plan& plan);
};

class OurClient : public testing::TestWithParam<ClientCase> {};

TEST_P(OurClient, RunsATestWithAStockServer)
{
    options::Plan plan = client_plan();
    GetParam().adapt(plan);
    plan.port = free_port();
    Process server{{"iperf3", "-s", "-1", "-J", "-p", std::to_string(plan.port)}};
    wait_for_listener(plan.port);

    World world;
    int exit_code = -1;
    control::ClientTest client{world.loop, plan, world.paths, world.watch, world.sink};
    client.run([&](int code) {
        exit_code = code;
        world.loop.stop();
    });
    world.loop.run();

    EXPECT_EQ(exit_code, 0) << testing::PrintToString(world.sink.failures);
    EXPECT_EQ(server.wait(), 0);
    const json theirs = json::parse(server.output());
    EXPECT_FALSE(theirs.contains("error")) << theirs["error"];
    EXPECT_TRUE(world.steering.claims.empty());
    ASSERT_EQ(world.sink.summaries.size(), 1U);
    const auto& ours = world.sink.summaries[0].streams;
    ASSERT_EQ(ours.size(), plan.parallel.value_or(1) * (plan.bidirectional ? 2 : 1));
    const json& streams = theirs.at("end").at("streams");
    ASSERT_EQ(streams.size(), ours.size());
    EXPECT_EQ(theirs.at("start").at("test_start").at("num_streams"), plan.parallel.value_or(1));
    for (std::size_t i = 0; i < ours.size(); ++i) {
        SCOPED_TRACE(i);
        const json& udp = streams[i].at("udp");
        EXPECT_EQ(udp.at("sender"), !ours[i].sender);
        ASSERT_TRUE(ours[i].sent && ours[i].received);
        EXPECT_EQ(ours[i].lost, 0);
        EXPECT_EQ(udp.at("lost_packets"), 0);
        EXPECT_EQ(udp.at("out_of_order"), 0);
        EXPECT_GT(ours[i].received->bytes.value, 0U);
        // The two sides end the omitted part by their own clocks. A stock server that receives does
        // not count what it has not read when it hears TEST_END; one that sends goes on until then.
        const std::int64_t slack = 5;
        EXPECT_LE(ours[i].received->packets, ours[i].sent->packets + slack);
        if (ours[i].sender) {
            EXPECT_LE(
                difference(ours[i].sent->bytes.value, ours[i].received->bytes.value), slack * 1000);
            EXPECT_LE(difference(udp.at("packets").get<std::int64_t>(), ours[i].received->packets),
                slack);
            EXPECT_GT(ours[i].jitter_s, 0);
            EXPECT_LT(ours[i].jitter_s, 1);
        } else {
            EXPECT_EQ(udp.at("bytes"), ours[i].sent->bytes.value);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Options, OurClient,
    testing::Values(ClientCase{"Plain", [](options::Plan&) {}},
        ClientCase{"Reverse", [](options::Plan& p) { p.reverse = true; }},
        ClientCase{"Bidirectional", [](options::Plan& p) { p.bidirectional = true; }},
        ClientCase{"Parallel", [](options::Plan& p) { p.parallel = 3; }},
        ClientCase{"ParallelBidirectional",
            [](options::Plan& p) {
                p.parallel = 2;
                p.bidirectional = true;
            }},
        ClientCase{"Omit", [](options::Plan& p) { p.omit = 1s; }},
        ClientCase{"ReverseOmit",
            [](options::Plan& p) {
                p.omit = 1s;
                p.reverse = true;
            }},
        ClientCase{"Bytes",
            [](options::Plan& p) {
                p.bytes = 100'000;
                p.duration.reset();
            }},
        ClientCase{"ReverseBlocks",
            [](options::Plan& p) {
                p.blocks = 100;
                p.reverse = true;
                p.duration.reset();
            }},
        ClientCase{"WideCountersAndPattern",
            [](options::Plan& p) {
                p.counters_64bit = true;
                p.repeating_payload = true;
                p.tos = 0x20;
            }},
        ClientCase{"ClientPortAndDefaultLength",
            [](options::Plan& p) {
                p.client_port = free_port();
                p.block_bytes.reset();
            }}),
    [](const auto& tested) { return tested.param.name; });

TEST(OurClientAndAStockServer, BusyIsReportedInIperf3sWords)
{
    options::Plan plan = client_plan();
    plan.port = free_port();
    Process server{{"iperf3", "-s", "-p", std::to_string(plan.port), "--forceflush"}};
    ASSERT_TRUE(server.wait_for("Server listening"));
    Process other{{"iperf3", "-c", "127.0.0.1", "-p", std::to_string(plan.port), "-u", "-t", "2",
        "--forceflush"}};
    ASSERT_TRUE(other.wait_for("connected to"));
    // It may still be between its streams and its start, when newcomers have to wait.
    ASSERT_TRUE(server.wait_for("Interval"));

    World world;
    int exit_code = -1;
    control::ClientTest client{world.loop, plan, world.paths, world.watch, world.sink};
    client.run([&](int code) {
        exit_code = code;
        world.loop.stop();
    });
    world.loop.run();
    EXPECT_EQ(exit_code, 1);
    EXPECT_EQ(world.sink.failures,
        std::vector<std::string>{"the server is busy running a test. try again later"});
    EXPECT_EQ(other.wait(), 0);
}

TEST(OurClientAndAStockServer, InterruptionIsToldAndSummarized)
{
    options::Plan plan = client_plan();
    plan.duration = 30s;
    plan.interval = 100ms;
    plan.port = free_port();
    Process server{{"iperf3", "-s", "-1", "-p", std::to_string(plan.port)}};
    wait_for_listener(plan.port);

    World world;
    int exit_code = -1;
    control::ClientTest client{world.loop, plan, world.paths, world.watch, world.sink};
    world.sink.on_call = [&](const std::string& call) {
        if (call == "interval" && world.sink.intervals.size() == 2) {
            asio::post(world.loop, [&] { client.interrupt(SIGINT); });
        }
    };
    client.run([&](int code) {
        exit_code = code;
        world.loop.stop();
    });
    world.loop.run();
    EXPECT_EQ(exit_code, 0);
    EXPECT_EQ(world.sink.failures,
        std::vector<std::string>{"interrupt - the client has terminated by signal Interrupt(2)"});
    EXPECT_EQ(world.sink.summaries.size(), 1U);
    server.wait();
    EXPECT_NE(server.output().find("the client has terminated"), std::string::npos);
}

TEST(OurClientAndAStockServer, TerminationOfTheServerIsSummarized)
{
    options::Plan plan = client_plan();
    plan.duration = 30s;
    plan.interval = 100ms;
    plan.port = free_port();
    Process server{{"iperf3", "-s", "-p", std::to_string(plan.port)}};
    wait_for_listener(plan.port);

    World world;
    int exit_code = -1;
    world.sink.on_call = [&](const std::string& call) {
        if (call == "interval" && world.sink.intervals.size() == 2) {
            server.kill(SIGTERM);
        }
    };
    control::ClientTest client{world.loop, plan, world.paths, world.watch, world.sink};
    client.run([&](int code) {
        exit_code = code;
        world.loop.stop();
    });
    world.loop.run();
    EXPECT_EQ(exit_code, 1);
    EXPECT_EQ(world.sink.failures, std::vector<std::string>{"the server has terminated"});
    EXPECT_EQ(world.sink.summaries.size(), 1U);
}

struct ServerCase {
    const char* name;
    std::vector<std::string> arguments;
    std::size_t streams;
};

class OurServer : public testing::TestWithParam<ServerCase> {};

TEST_P(OurServer, ServesAStockClient)
{
    options::Plan plan;
    plan.role = options::Role::kServer;
    plan.port = free_port();
    plan.one_off = true;
    plan.interval = 500ms;
    World world;
    int exit_code = -1;
    control::Server server{world.loop, plan, world.paths, world.watch, world.sink, world.sink};
    server.run([&](int code) {
        exit_code = code;
        world.loop.stop();
    });
    std::vector<std::string> command{"iperf3", "-c", "127.0.0.1", "-p", std::to_string(plan.port),
        "-u", "-b", "2M", "-l", "1000", "-J"};
    const auto& arguments = GetParam().arguments;
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process client{command};
    world.loop.run();

    EXPECT_EQ(exit_code, 0);
    EXPECT_EQ(client.wait(), 0);
    EXPECT_EQ(world.sink.failures, std::vector<std::string>{});
    EXPECT_EQ(world.sink.calls.back(), "success");
    EXPECT_TRUE(world.steering.claims.empty());
    const json theirs = json::parse(client.output());
    EXPECT_FALSE(theirs.contains("error")) << theirs["error"];
    ASSERT_EQ(world.sink.summaries.size(), 1U);
    const auto& ours = world.sink.summaries[0].streams;
    ASSERT_EQ(ours.size(), GetParam().streams);
    const json& streams = theirs.at("end").at("streams");
    ASSERT_EQ(streams.size(), ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
        SCOPED_TRACE(i);
        const json& udp = streams[i].at("udp");
        EXPECT_EQ(udp.at("sender"), !ours[i].sender);
        EXPECT_EQ(udp.at("lost_packets"), 0);
        EXPECT_EQ(ours[i].lost, 0);
        const auto& own = ours[i].sender ? ours[i].sent : ours[i].received;
        ASSERT_TRUE(own);
        EXPECT_FALSE(ours[i].sender ? ours[i].received : ours[i].sent);
        EXPECT_GT(own->bytes.value, 10'000U);
        if (!ours[i].sender) {
            EXPECT_EQ(udp.at("packets"), own->packets);
        }
    }
    const double total = theirs.at("end").at("cpu_utilization_percent").at("remote_total");
    EXPECT_GT(total, 0);
}

INSTANTIATE_TEST_SUITE_P(Options, OurServer,
    testing::Values(ServerCase{"Plain", {"-t", "1"}, 1},
        ServerCase{"Reverse", {"-t", "1", "-R"}, 1},
        ServerCase{"Bidirectional", {"-t", "1", "--bidir"}, 2},
        ServerCase{"ParallelBidirectional", {"-t", "1", "--bidir", "-P", "2"}, 4},
        ServerCase{"Parallel", {"-t", "1", "-P", "3"}, 3},
        ServerCase{"Omit", {"-t", "1", "-O", "1"}, 1},
        ServerCase{"WideCounters", {"-t", "1", "--udp-counters-64bit"}, 1},
        ServerCase{"Bytes", {"-n", "100K"}, 1},
        ServerCase{"ReverseBlocks", {"-k", "100", "-R"}, 1}),
    [](const auto& tested) { return tested.param.name; });

TEST(OurServerAndStockClients, SctpIsRefusedAndTheNextClientIsServed)
{
    options::Plan plan;
    plan.role = options::Role::kServer;
    plan.port = free_port();
    World world;
    control::Server server{world.loop, plan, world.paths, world.watch, world.sink, world.sink};
    server.run([&](int) { world.loop.stop(); });
    const std::string port = std::to_string(plan.port);
    std::optional<Process> sctp;
    std::optional<Process> udp;
    sctp.emplace(
        std::vector<std::string>{"iperf3", "-c", "127.0.0.1", "-p", port, "--sctp", "-t", "1"});
    world.sink.on_call = [&](const std::string& call) {
        if (call == "listening" && !udp) {
            udp.emplace(
                std::vector<std::string>{"iperf3", "-c", "127.0.0.1", "-p", port, "-u", "-t", "1"});
        }
        if (call == "success") {
            asio::post(world.loop, [&] { server.interrupt(SIGTERM); });
        }
    };
    world.loop.run();
    EXPECT_EQ(sctp->wait(), 1);
    EXPECT_NE(sctp->output().find("an option you are trying to set is not implemented yet"),
        std::string::npos)
        << sctp->output();
    EXPECT_EQ(udp->wait(), 0);
    ASSERT_FALSE(world.sink.failures.empty());
    EXPECT_NE(world.sink.failures[0].find("SCTP tests are not supported"), std::string::npos);
}

TEST(OurServerAndStockClients, FiftyTestsInARow)
{
    options::Plan plan;
    plan.role = options::Role::kServer;
    plan.port = free_port();
    World world;
    control::Server server{world.loop, plan, world.paths, world.watch, world.sink, world.sink};
    server.run([&](int) { world.loop.stop(); });
    const std::string port = std::to_string(plan.port);
    // Without a pause: the next client is there before the last test has settled.
    Process clients{{"sh", "-c",
        "for i in $(seq 50); do iperf3 -c 127.0.0.1 -p " + port +
            " -u -b 100M -l 1000 -k 20 >/dev/null || exit 1; done"}};
    int successes = 0;
    world.sink.on_call = [&](const std::string& call) {
        successes += call == "success" ? 1 : 0;
        if (successes == 50 || call == "failed") {
            asio::post(world.loop, [&] { server.interrupt(SIGTERM); });
        }
    };
    world.loop.run();
    EXPECT_EQ(clients.wait(), 0);
    EXPECT_EQ(successes, 50);
}

}  // namespace
}  // namespace dpdkperf::test
