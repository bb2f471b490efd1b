// Our client against a server that a script plays.

#include "client_and_script.hpp"
#include "dpdkperf/proto/results.hpp"
#include "key_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include <asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace dpdkperf::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_F(ClientAndScript, RunsATestInIperf3sOrder)
{
    std::string end, done;
    const auto start = std::chrono::steady_clock::now();
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        end = peer.receive(1);
        peer.send("\x0d");
        (void)peer.receive_document();
        peer.send_document(kResults);
        peer.send("\x0e");
        done = peer.receive_rest();
    });
    EXPECT_EQ(exit_code, 0);
    // A peer from 3.21 on waits for us to close; we wait a second at most for one that does not.
    EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms);
    EXPECT_EQ(end, "\x04");
    EXPECT_EQ(done, "\x10");
    EXPECT_EQ(sink_.calls,
        (std::vector<std::string>{"connecting", "started", "connected", "summary", "success"}));
    EXPECT_EQ(traffic_.calls,
        (std::vector<std::string>{"open", "hello 0", "start", "stop", "finish", "close"}));
    const auto& total = sink_.summaries.at(0).streams.at(0);
    EXPECT_EQ(total.sent->packets, 10);
    EXPECT_EQ(total.received->packets, 9);
    EXPECT_EQ(total.received->time, 1500ms);
    EXPECT_EQ(paths_.releases, 1);
    EXPECT_EQ(paths_.settled_after, std::vector<std::size_t>{1});
    EXPECT_TRUE(steering_.claims.empty());
    EXPECT_GT(steering_.heartbeats, 0);
}

TEST_F(ClientAndScript, SaysThatTheTestIsOverWhenEverythingHasLeft)
{
    plan_.blocks = 0;
    plan_.duration = 1s;
    traffic_.drains_for = 300ms;
    std::chrono::nanoseconds took{};
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(peer.receive(1), "\x04");
        took = std::chrono::steady_clock::now() - start;
        peer.send("\x0d");
        (void)peer.receive_document();
        peer.send_document(kResults);
        peer.send("\x0e");
        (void)peer.receive_rest();
    });
    EXPECT_EQ(exit_code, 0);
    EXPECT_GE(took, 1250ms);
    EXPECT_GE(steering_.heartbeats, 4);  // it wants one every second
}

TEST_F(ClientAndScript, SaysWhoItIs)
{
    login_.emplace(
        *auth::Login::open("mario", "rossi", keys() / "public.pem", auth::Padding::kOaep));
    std::string parameters;
    const int exit_code = run([&](const ScriptedPeer& peer) {
        parameters = up_to_parameters(peer);
        peer.send("\xfe\0\0\0\x8e"s);  // as servers up to 3.18: no errno follows
    });
    EXPECT_EQ(exit_code, 1);
    EXPECT_EQ(sink_.failures, std::vector<std::string>{"test authorization failed"});
    const std::string key = R"("authtoken":")";
    const auto begin = parameters.find(key) + key.size();
    const auto credentials =
        auth::unseal(parameters.substr(begin, parameters.find('"', begin) - begin),
            *auth::load_private_key(keys() / "private.pem"), auth::Padding::kOaep);
    ASSERT_TRUE(credentials) << parameters;
    EXPECT_EQ(credentials->user, "mario");
    EXPECT_EQ(credentials->password, "rossi");
    const auto age = std::chrono::system_clock::now() - credentials->time;
    EXPECT_GE(age, 0s);
    EXPECT_LT(age, 5s);
}

TEST_F(ClientAndScript, TellsTitleAndDataAndTracesWhatTheUserWantsToSee)
{
    plan_.title = "a title";
    plan_.extra_data = "data";
    const std::pair<int, std::size_t> cases[] = {{0, 0}, {1, 1}, {3, 3}};
    for (const auto& [level, count] : cases) {
        plan_.debug_level = level;
        sink_.traces.clear();
        loop_.restart();
        std::string parameters;
        run([&](const ScriptedPeer& peer) {
            parameters = up_to_parameters(peer);
            peer.send("\xff");
        });
        EXPECT_NE(parameters.find(R"("title":"a title","extra_data":"data")"), std::string::npos);
        ASSERT_EQ(sink_.traces.size(), count);
        if (count > 0) {
            EXPECT_EQ(sink_.traces[count / 2].document, parameters);
        }
    }
}

TEST_F(ClientAndScript, ShowsTheServersOutputToWhoHasAskedForIt)
{
    struct Case {
        bool asked;
        std::string_view member, shown;
        bool json;
    };
    const Case cases[] = {
        {true, R"("server_output_text":"a\nb\n")", "a\nb\n", false},
        {true, R"("server_output_json":{"a":1,"a":[2]})", R"({"a":1,"a":[2]})", true},
        {false, R"("server_output_text":"a\nb\n")", "", false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.member);
        plan_.get_server_output = c.asked;
        sink_.server_outputs.clear();
        loop_.restart();
        std::string parameters;
        const int exit_code = run([&](const ScriptedPeer& peer) {
            parameters = up_to_parameters(peer);
            peer.send("\x0a\1\2");
            EXPECT_EQ(peer.receive(1), "\x04");
            peer.send("\x0d");
            (void)peer.receive_document();
            std::string results{kResults};
            results.insert(1, std::string{c.member} + ",");
            peer.send_document(results);
            peer.send("\x0e");
            EXPECT_EQ(peer.receive_rest(), "\x10");
        });
        EXPECT_EQ(exit_code, 0);
        EXPECT_EQ(parameters.find(R"("get_server_output":1)") != std::string::npos, c.asked);
        ASSERT_EQ(sink_.server_outputs.size(), c.asked ? 1U : 0U);
        if (c.asked) {
            EXPECT_EQ(sink_.server_outputs[0].text, c.shown);
            EXPECT_EQ(sink_.server_outputs[0].json, c.json);
        }
    }
}

TEST_F(ClientAndScript, TakesLocalPortsThatSuitTheDataPlane)
{
    traffic_.suiting = 4;
    plan_.parallel = 5;
    run([&](const ScriptedPeer& peer) { up_to_running(peer); });
    ASSERT_EQ(traffic_.sessions.size(), 1U);
    ASSERT_EQ(traffic_.sessions[0].streams.size(), 5U);
    for (const traffic::StreamSpec& stream : traffic_.sessions[0].streams) {
        EXPECT_EQ(stream.local_port % 4, 0);
    }
}

TEST_F(ClientAndScript, RunsAlsoWhereNoLocalPortSuits)
{
    traffic_.suiting = 65'535;
    run([&](const ScriptedPeer& peer) { up_to_running(peer); });
    ASSERT_EQ(traffic_.sessions.size(), 1U);
    EXPECT_NE(traffic_.sessions[0].streams[0].local_port, 0);
}

TEST_F(ClientAndScript, TakesThePortsThatTheUserWantsWhetherTheySuitOrNot)
{
    traffic_.suiting = 65'535;
    plan_.parallel = 2;
    plan_.client_port = 41'230;
    run([&](const ScriptedPeer& peer) { up_to_running(peer); });
    ASSERT_EQ(traffic_.sessions.size(), 1U);
    EXPECT_EQ(traffic_.sessions[0].streams[0].local_port, 41'230);
    EXPECT_EQ(traffic_.sessions[0].streams[1].local_port, 41'231);
}

TEST_F(ClientAndScript, ReportsWhatAServerDoesWrong)
{
    struct Case {
        const char* name;
        void (*script)(const ScriptedPeer& peer);
        std::string_view message;
    };
    const Case cases[] = {
        {"closes", [](const ScriptedPeer& peer) { (void)peer.receive(37); },
            "control socket has closed unexpectedly"},
        {"speaks http", [](const ScriptedPeer& peer) { peer.send("HTTP/1.1 400\r\n"); },
            "received an unknown control message: 72"},
        {"is busy", [](const ScriptedPeer& peer) { peer.send("\xff"); },
            "the server is busy running a test. try again later"},
        {"has a rate limit",
            [](const ScriptedPeer& peer) {
                (void)up_to_parameters(peer);
                peer.send("\xfe\0\0\0\x1b\0\0\0\0"s);
            },
            "total required bandwidth is larger than server limit"},
        {"jumps to the end", [](const ScriptedPeer& peer) { peer.send("\x0e"); },
            "received an unknown control message"},
        {"closes during the test", [](const ScriptedPeer& peer) { up_to_running(peer); },
            "control socket has closed unexpectedly"},
        {"sends huge results",
            [](const ScriptedPeer& peer) {
                up_to_running(peer);
                (void)peer.receive(1);
                peer.send("\x0d");
                (void)peer.receive_document();
                peer.send("\x04\x00\x00\x01"s);
                (void)peer.receive_rest();
            },
            "unable to receive results: a document of 67108865 bytes, limit 67108864"},
        {"invents a stream",
            [](const ScriptedPeer& peer) {
                up_to_running(peer);
                (void)peer.receive(1);
                peer.send("\x0d");
                (void)peer.receive_document();
                std::string results{kResults};
                results.replace(results.find("\"id\":1"), 6, "\"id\":3");
                peer.send_document(results);
                (void)peer.receive_rest();
            },
            "stream has an invalid id: 3"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        sink_.failures.clear();
        loop_.restart();
        EXPECT_EQ(run(c.script), 1);
        EXPECT_EQ(sink_.failures, std::vector<std::string>{std::string{c.message}});
        EXPECT_EQ(sink_.calls.back(), "finished");
        EXPECT_TRUE(steering_.claims.empty());
    }
}

TEST_F(ClientAndScript, RefusesWhatItCannotDoBeforeConnecting)
{
    struct Case {
        void (*adapt)(options::Plan& plan);
        std::string_view message;
    };
    const Case cases[] = {
        {[](options::Plan& p) { p.block_bytes = 1473; },
            "block size invalid (minimum = 16 bytes, maximum = 65507 bytes): 1473 bytes do not fit "
            "into one packet on px0, at most 1472 do"},
        {[](options::Plan& p) { p.bind_address = "no..host"; },
            "-B: cannot find host 'no..host': Name or service not known"},
        {[](options::Plan& p) { p.family = options::Family::kIpv6; },
            "unable to connect to server: '127.0.0.1' has no address of the family asked for"},
        {[](options::Plan& p) { p.flow_label = 5; },
            "unable to set IPv6 flow label: the test runs over IPv4"},
    };
    for (const Case& c : cases) {
        const options::Plan before = plan_;
        c.adapt(plan_);
        sink_.failures.clear();
        loop_.restart();
        EXPECT_EQ(run_alone(), 1);
        EXPECT_EQ(sink_.failures, std::vector<std::string>{std::string{c.message}});
        plan_ = before;
    }
}

TEST_F(ClientAndScript, GivesUpWithoutDataAndSaysGoodbye)
{
    plan_.reverse = true;
    plan_.rcv_timeout = 100ms;
    traffic_.data_arrives = false;
    std::string rest;
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        rest = peer.receive_rest();
    });
    EXPECT_EQ(exit_code, 1);
    EXPECT_EQ(rest, "\x10");
    EXPECT_EQ(sink_.failures, std::vector<std::string>{"idle timeout for receiving data"});
}

TEST_F(ClientAndScript, EndsWhenPacketsArriveWhereNobodyListens)
{
    plan_.blocks = 0;
    steering_.now_stray = {7, 3};  // of earlier tests
    traffic_.hellos_work = false;
    at_call("started", [&] { steering_.now_stray = {9, 2}; });
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer, "");
        (void)peer.receive_rest();
    });
    EXPECT_EQ(exit_code, 1);
    ASSERT_EQ(sink_.failures.size(), 1U);
    EXPECT_NE(sink_.failures[0].find("2 packets of the test arrived on queue 2 of px0"),
        std::string::npos);
}

TEST_F(ClientAndScript, FollowsTheWayToThePeer)
{
    plan_.blocks = 0;
    plan_.duration = 30s;
    const Mac moved{{2, 0, 0, 0, 0, 9}};
    at_call("connected", [&] {
        watch_.events->next_hop_moved(moved);
        watch_.events->next_hop_moved(moved);  // the kernel repeats itself
        watch_.events->link_changed(false);
        watch_.events->route_left("no route");
        watch_.events->interface_removed();
    });
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        (void)peer.receive_rest();
    });
    EXPECT_EQ(exit_code, 1);
    EXPECT_EQ(traffic_.next_hops, std::vector<Mac>{moved});
    EXPECT_EQ(sink_.warnings,
        (std::vector<std::string>{"interface px0 is down", "no route; the test stays on px0"}));
    EXPECT_EQ(sink_.failures,
        std::vector<std::string>{"unable to read from stream socket: interface px0 was removed"});
}

TEST_F(ClientAndScript, WaitsForBothSidesToCloseTheirStreamsButNotForLong)
{
    for (const bool closes : {true, false}) {
        loop_.restart();
        traffic_.calls.clear();
        traffic_.parting = true;
        asio::steady_timer peer_closes{loop_};
        at_call("success", [&] {
            peer_closes.expires_after(200ms);
            peer_closes.async_wait([&](const asio::error_code&) {
                EXPECT_NE(traffic_.calls.back(), "close");
                traffic_.parting = !closes;
            });
        });
        const auto from = std::chrono::steady_clock::now();
        EXPECT_EQ(run([&](const ScriptedPeer& peer) {
            up_to_running(peer);
            up_to_the_end(peer);
        }),
            0);
        const auto took = std::chrono::steady_clock::now() - from;
        EXPECT_EQ(traffic_.calls.back(), "close");
        EXPECT_GE(took, closes ? 200ms : 1000ms);
        EXPECT_LT(took, closes ? 900ms : 2000ms);
    }
}

// A test that has failed leaves at once.
TEST_F(ClientAndScript, DoesNotWaitForStreamsOfAFailedTest)
{
    traffic_.parting = true;
    at_call("connected", [&] { watch_.events->interface_removed(); });
    const auto from = std::chrono::steady_clock::now();
    EXPECT_EQ(run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        (void)peer.receive_rest();
    }),
        1);
    EXPECT_LT(std::chrono::steady_clock::now() - from, 900ms);
}

TEST_F(ClientAndScript, HandsIcmpOfItsFamilyToTheStreams)
{
    plan_.blocks = 0;
    plan_.duration = 30s;
    constexpr std::array<std::byte, 8> kMessage{};
    at_call("connected", [&] {
        watch_.events->icmp_came(kMessage, true);
        watch_.events->icmp_came(kMessage, false);
        watch_.events->interface_removed();
    });
    run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        (void)peer.receive_rest();
    });
    EXPECT_EQ(traffic_.icmp_bytes, kMessage.size());
}

// As iperf3 3.12 says it of a datagram socket that was told of an ICMP error.
TEST_F(ClientAndScript, SaysWhyNobodyTakesItsDatagrams)
{
    struct Case {
        bool reverse;
        int error;
        std::uint64_t max_on_path;
        std::string message;
    };
    const Case cases[] = {
        {false, ECONNREFUSED, 0, "unable to write to stream socket: Connection refused"},
        {true, ECONNREFUSED, 0, "unable to read from stream socket: Connection refused"},
        {false, EMSGSIZE, 72,
            "unable to write to stream socket: Message too long: datagrams of 100 bytes do not fit "
            "the path, at most 72 do (-l)"},
    };
    plan_.blocks = 0;
    plan_.duration = 30s;
    for (const Case& c : cases) {
        plan_.reverse = c.reverse;
        loop_.restart();
        sink_.failures.clear();
        traffic_.error = 0;
        at_call("connected", [&] {
            traffic_.error = c.error;
            traffic_.max_on_path = c.max_on_path;
        });
        const int exit_code = run([&](const ScriptedPeer& peer) {
            up_to_running(peer);
            (void)peer.receive_rest();
        });
        EXPECT_EQ(exit_code, 1);
        EXPECT_EQ(sink_.failures, std::vector<std::string>{c.message});
    }
}

TEST_F(ClientAndScript, SaysWhyAStreamCanNotBeOpened)
{
    struct Case {
        options::Protocol protocol;
        int error;
        std::string message;
        std::size_t tries;
    };
    const Case cases[] = {
        {options::Protocol::kUdp, ECONNREFUSED,
            "unable to read from stream socket: Connection refused", 1},
        {options::Protocol::kUdp, 0,
            "unable to read from stream socket: no iperf3 server answered the hello", 1},
        {options::Protocol::kTcp, EHOSTUNREACH, "unable to connect stream: No route to host", 1},
        // A server may open its listener anew.
        {options::Protocol::kTcp, ECONNREFUSED, "unable to connect stream: Connection refused", 3},
    };
    for (const Case& c : cases) {
        loop_.restart();
        plan_.protocol = c.protocol;
        sink_.failures.clear();
        traffic_.calls.clear();
        traffic_.refused = true;
        traffic_.error = c.error;
        EXPECT_EQ(run([&](const ScriptedPeer& peer) {
            up_to_running(peer, "");
            (void)peer.receive_rest();
        }),
            1);
        EXPECT_EQ(sink_.failures, std::vector<std::string>{c.message});
        EXPECT_EQ(std::ranges::count(traffic_.calls, "hello 0"), static_cast<long>(c.tries));
    }
}

TEST_F(ClientAndScript, IntervalsAreReportedOnceEachAndTheLastOneEndsWithTheTest)
{
    plan_.blocks = 0;
    plan_.duration = 1s;
    plan_.interval = 250ms;
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        up_to_the_end(peer);
    });
    EXPECT_EQ(exit_code, 0);
    ASSERT_EQ(sink_.intervals.size(), 4U);
    EXPECT_EQ(sink_.intervals[2].streams[0].end, 750ms);
    EXPECT_EQ(sink_.intervals[3].streams[0].start, 750ms);
    EXPECT_GE(sink_.intervals[3].streams[0].end, 1s);
    ASSERT_EQ(traffic_.timetables.size(), 1U);
    EXPECT_EQ(traffic_.timetables[0].end, 1s);
}

TEST_F(ClientAndScript, AnInterruptBeforeTheTestEndsAtOnce)
{
    traffic_.hellos_work = false;
    std::string rest;
    at_call("started", [&] { client_->interrupt(15); });
    const int exit_code = run([&](const ScriptedPeer& peer) {
        up_to_running(peer, "");
        rest = peer.receive_rest();
    });
    EXPECT_EQ(exit_code, 0);
    EXPECT_EQ(rest, "\x0c");
    EXPECT_TRUE(sink_.summaries.empty());
}

}  // namespace
}  // namespace dpdkperf::test
