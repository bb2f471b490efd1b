#include "server_and_script.hpp"

#include <list>

namespace dpdkperf::test {
namespace {

using namespace std::string_literals;

TEST_F(ServerAndScript, ServesATestInIperf3sOrder)
{
    run(play_good_client);
    EXPECT_EQ(exit_code_, 0);
    const std::vector<std::string> begin{
        "listening", "accepted", "started", "connected", "summary", "success"};
    ASSERT_GE(sink_.calls.size(), begin.size());
    sink_.calls.resize(begin.size());
    EXPECT_EQ(sink_.calls, begin);
    EXPECT_TRUE(steering_.claims.empty());
    EXPECT_EQ(
        traffic_.calls, (std::vector<std::string>{"open", "start", "stop", "finish", "close"}));
    EXPECT_EQ(paths_.releases, 1);
    EXPECT_FALSE(traffic_.timetables.at(0).end);
    EXPECT_TRUE(traffic_.sessions.at(0).server);
}

TEST_F(ServerAndScript, KnowsTitleAndDataAndTracesWhatTheUserWantsToSee)
{
    plan_.debug_level = 4;
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(R"({"udp":true,"len":100,"title":"a title","extra_data":"data"})");
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
    });
    EXPECT_EQ(sink_.settings->title, "a title");
    EXPECT_EQ(sink_.settings->extra_data, "data");
    ASSERT_GE(sink_.traces.size(), 3U);
    EXPECT_EQ(sink_.traces[0].what, "State change: State set to 9-PARAM_EXCHANGE");
    EXPECT_EQ(sink_.traces[1].what, "get_parameters:");
    EXPECT_EQ(sink_.traces[2].what, "State change: State set to 10-CREATE_STREAMS");
}

TEST_F(ServerAndScript, SendsWhatItHasPrintedIfTheClientWantsIt)
{
    for (const bool json : {false, true}) {
        sink_.printed = {json ? R"({"a":1,"a":2})" : "one\ntwo\n", json};
        sink_.calls.clear();
        loop_.restart();
        std::string results;
        run([&](std::uint16_t port) {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(R"({"udp":true,"len":100,"get_server_output":1})");
            EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
            peer.send("\x04");
            EXPECT_EQ(peer.receive(1), "\x0d");
            peer.send_document(kEmptyResults);
            results = peer.receive_document();
            EXPECT_EQ(peer.receive(1), "\x0e");
            peer.send("\x10");
            EXPECT_EQ(peer.receive_rest(), "");
        });
        const auto said = std::find(sink_.calls.begin(), sink_.calls.end(), "summary");
        ASSERT_GE(sink_.calls.end() - said, 3);
        EXPECT_EQ(said[1], "relay");
        EXPECT_EQ(said[2], "success");
        EXPECT_NE(results.find(json ? R"("server_output_json":{"a":1,"a":2}})"
                                    : R"("server_output_text":"one\ntwo\n")"),
            std::string::npos)
            << results;
    }
}

TEST_F(ServerAndScript, ServesAsManyAtATimeAsItMay)
{
    plan_.concurrent = 3;
    run([this](std::uint16_t port) {
        std::list<ScriptedPeer> peers;
        for (int i = 0; i < 3; ++i) {
            peers.push_back(running(port));
        }
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(ScriptedPeer::connect(port).receive_rest(), "\xff");
            end_well(peers.front());
            peers.pop_front();
            peers.push_back(running(port));
        }
        peers.pop_front();  // dies; the others do not notice
        for (const ScriptedPeer& peer : peers) {
            end_well(peer);
        }
        // It says where it listens when nobody is served.
        wait_for([&] { return sink_.calls.back() == "listening"; });
    });
    EXPECT_EQ(exit_code_, 0);
    EXPECT_EQ(sink_.tests, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(std::ranges::count(sink_.calls, "success"), 5);
    ASSERT_EQ(sink_.failures.size(), 2U);  // the second one is the server's own end
    EXPECT_EQ(sink_.failures[0], "the client has unexpectedly closed the connection");
    EXPECT_EQ(paths_.releases, 6);
    EXPECT_TRUE(steering_.claims.empty());
    EXPECT_EQ(std::ranges::count(sink_.calls, "listening"), 2);
}

TEST_F(ServerAndScript, LetsTestsOfOneAddressOpenTheirStreamsOneAfterAnother)
{
    plan_.concurrent = 4;
    traffic_.hellos_work = false;
    run([this](std::uint16_t port) {
        const auto asking = [port] {
            ScriptedPeer peer = introduced(port);
            peer.send_document(kParameters);
            return peer;
        };
        std::optional first{asking()};
        EXPECT_EQ(first->receive(1), "\x0a");
        const ScriptedPeer second = asking();
        on_loop([&] { EXPECT_EQ(traffic_.sessions.size(), 1U); });
        first.reset();  // while it has its turn
        EXPECT_EQ(second.receive(1), "\x0a");
        (void)asking();  // leaves while it waits
        wait_for([&] { return sink_.failures.size() == 2; });
        const ScriptedPeer last = asking();
        on_loop([&] { traffic_.hellos_work = true; });
        EXPECT_EQ(second.receive(2), "\x01\x02");
        EXPECT_EQ(last.receive(3), "\x0a\x01\x02");
        end_well(second);
        end_well(last);
    });
    EXPECT_EQ(traffic_.sessions.size(), 3U);
    EXPECT_EQ(paths_.releases, 3);
    EXPECT_TRUE(steering_.claims.empty());
}

TEST_F(ServerAndScript, TellsAllClientsThatItEnds)
{
    plan_.concurrent = 3;
    std::vector<std::string> said;
    run([&](std::uint16_t port) {
        const ScriptedPeer first = running(port), second = running(port);
        const ScriptedPeer silent = introduced(port);
        on_loop([this] { server_->interrupt(15); });
        for (const ScriptedPeer* peer : {&first, &second, &silent}) {
            said.push_back(peer->receive_rest());
        }
    });
    EXPECT_EQ(said, std::vector<std::string>(3, "\x0b"));
    EXPECT_EQ(exit_code_, 0);
    EXPECT_EQ(sink_.failures.size(), 3U);
    EXPECT_EQ(sink_.summaries.size(), 2U);
}

// Hello of the first stream may arrive as soon as the client has read CREATE_STREAMS.
TEST_F(ServerAndScript, ClaimsTheClientsDatagramsBeforeItAsksForStreams)
{
    traffic_.hellos_work = false;
    run([this](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive(1), "\x0a");
        on_loop([&] {
            EXPECT_EQ(traffic_.calls, std::vector<std::string>{"open"});
            EXPECT_EQ(steering_.claims,
                std::vector<std::string>{"peer 127.0.0.1:" + std::to_string(port) + " 127.0.0.1"});
        });
    });
}

// Connections to the same port may be the control connections of other tests.
TEST_F(ServerAndScript, KeepsTheTcpConnectionsOfItsStreamsAndNoOther)
{
    static constexpr auto kTcp = R"({"tcp":true,"time":1,"parallel":2})";
    run([this](std::uint16_t port) {
        {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(kTcp);
            EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
            on_loop([&] {
                const std::string local = "flow 127.0.0.1:" + std::to_string(port) + " 127.0.0.1:";
                std::vector<std::string> flows;
                for (const auto& stream : traffic_.status(1).streams) {
                    flows.push_back(local + std::to_string(stream.remote_port));
                }
                EXPECT_EQ(steering_.claims, flows);
            });
            peer.send("\x10");
            EXPECT_EQ(peer.receive_rest(), "");
        }
        on_loop([&] { traffic_.hellos_work = false; });
        const ScriptedPeer peer = introduced(port);
        peer.send_document(kTcp);
        EXPECT_EQ(peer.receive(1), "\x0a");
        on_loop([&] { EXPECT_EQ(steering_.claims.size(), 1); });
        peer.send("\x10");
        EXPECT_EQ(peer.receive_rest(), "");
        on_loop([&] {
            EXPECT_TRUE(steering_.claims.empty());  // before the test is over for everybody else
        });
    });
}

TEST_F(ServerAndScript, GivesResultsWhenEverythingHasLeft)
{
    traffic_.drains_for = 300ms;
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(R"({"udp":true,"len":100,"time":5,"reverse":true})");
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        const auto end = std::chrono::steady_clock::now();
        end_well(peer);
        EXPECT_GE(std::chrono::steady_clock::now() - end, 300ms);
    });
}

TEST_F(ServerAndScript, SendsByItsOwnCongestionControlIfItDoesNotKnowTheClients)
{
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(R"({"tcp":true,"time":1,"reverse":true,"congestion":"bbr"})");
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        peer.send("\x04");
        EXPECT_EQ(peer.receive(1), "\x0d");
        peer.send_document(kEmptyResults);
        EXPECT_NE(peer.receive_document().find(R"("congestion_used":"cubic")"), std::string::npos);
        EXPECT_EQ(peer.receive(1), "\x0e");
        peer.send("\x10");
        EXPECT_EQ(peer.receive_rest(), "");
    });
    EXPECT_EQ(sink_.warnings, std::vector<std::string>{"TCP congestion control algorithm 'bbr' is "
                                                       "not supported, cubic is used"});
    EXPECT_EQ(sink_.summaries.at(0).congestion, "cubic");
}

TEST_F(ServerAndScript, AnswersBadClientsWithIperf3sNumberAndServesTheNext)
{
    struct Case {
        const char* name;
        std::string bytes;  // in place of the parameters
        int number;
    };
    const auto document = [](const std::string& text) {
        return "\0\0\0"s + static_cast<char>(text.size()) + text;
    };
    const std::vector<Case> cases{
        {"4 GiB", "\xff\xff\xff\xff"s, 114},
        {"empty", "\0\0\0\0"s, 114},
        {"9 kB", "\0\0\x23\x28"s + std::string(9000, 'x'), 114},
        {"no object", document("[]"), 114},
        {"wrong type", document(R"({"title":5})"), 114},
        {"reverse 0", document(R"({"reverse":0})"), 114},
        {"500 streams", document(R"({"parallel":500})"), 6},
        {"len 10^9", document(R"({"len":1000000000})"), 7},
        {"too long for the port", document(R"({"udp":true,"len":1473})"), 20},
        {"sctp", document(R"({"sctp":true})"), 13},
        {"too long a test", document(R"({"udp":true,"len":100,"time":50,"omit":11})"), 37},
        {"an endless test", document(R"({"udp":true,"len":100,"time":0,"num":1})"), 37},
        {"too fast a test", document(R"({"udp":true,"len":100,"bandwidth":50000001})"), 27},
        {"too fast streams",
            document(R"({"udp":true,"len":100,"parallel":2,"bidirectional":true,)"
                     R"("bandwidth":12500001})"),
            27},
        {"too fast a pace", document(R"({"tcp":true,"fqrate":50000001})"), 27},
    };
    plan_.max_duration = 60s;
    plan_.max_total_rate = BitRate::from_bps(50'000'000);
    run([&](std::uint16_t port) {
        for (const Case& c : cases) {
            SCOPED_TRACE(c.name);
            const ScriptedPeer peer = introduced(port);
            peer.send(c.bytes);
            EXPECT_EQ(
                peer.receive_rest(), "\xfe\0\0\0"s + static_cast<char>(c.number) + "\0\0\0\0"s);
        }
        play_good_client(port);
    });
    EXPECT_EQ(std::count(sink_.calls.begin(), sink_.calls.end(), "success"), 1);
    EXPECT_EQ(sink_.failures.size(), cases.size() + 1);  // and the end by signal
    EXPECT_TRUE(steering_.claims.empty());
}

TEST_F(ServerAndScript, RefusesWhatItsFileIsNotFor)
{
    struct Case {
        const char* parameters;
        int number;
        const char* message;
    };
    static constexpr Case kCases[] = {
        {kParameters.data(), 34, "cannot transfer file using UDP"},
        {R"({"tcp":true,"bidirectional":true})", 14,
            "unable to open -F file: /nonexistent/f: with --bidir it would be overwritten while it "
            "is sent"},
        {R"({"tcp":true,"reverse":true})", 14,
            "unable to open -F file: /nonexistent/f: No such file or directory"},
        {R"({"tcp":true})", 14,
            "unable to open -F file: /nonexistent/f: No such file or directory"},
    };
    plan_.file = "/nonexistent/f";
    run([](std::uint16_t port) {
        for (const Case& c : kCases) {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(c.parameters);
            EXPECT_EQ(
                peer.receive_rest(), "\xfe\0\0\0"s + static_cast<char>(c.number) + "\0\0\0\0"s);
        }
    });
    for (std::size_t i = 0; i < std::size(kCases); ++i) {
        EXPECT_EQ(sink_.failures.at(i), kCases[i].message);
    }
}

TEST_F(ServerAndScript, NobodyWaitsForSilentConnections)
{
    run([](std::uint16_t port) {
        std::vector<ScriptedPeer> silent;
        for (int i = 0; i < 40; ++i) {
            silent.push_back(ScriptedPeer::connect(port));
            silent.back().send("hello");
        }
        play_good_client(port);
    });
    EXPECT_EQ(std::count(sink_.calls.begin(), sink_.calls.end(), "success"), 1);
}

TEST_F(ServerAndScript, OthersAreTurnedAwayAtOnceWhileBusy)
{
    traffic_.hellos_work = false;  // the first client hangs in its stream creation
    run([](std::uint16_t port) {
        const ScriptedPeer late = ScriptedPeer::connect(port);  // connected, but silent so far
        const ScriptedPeer first = introduced(port);
        first.send_document(kParameters);
        EXPECT_EQ(first.receive(1), "\x0a");
        EXPECT_EQ(ScriptedPeer::connect(port).receive_rest(), "\xff");
        late.send(kCookie);
        EXPECT_EQ(late.receive_rest(), "\xff");
        first.send("\x10");
        EXPECT_EQ(first.receive_rest(), "");
    });
    EXPECT_EQ(
        sink_.failures.at(0), "the client has terminated: it gave up before the test was over");
}

// Nobody is left waiting for the end of somebody else's test.
TEST_F(ServerAndScript, OfThoseWhoComeWhileATestPartsOneIsServedAndTheOthersAreTurnedAway)
{
    traffic_.parting = true;
    run([&](std::uint16_t port) {
        play_good_client(port);
        std::vector<ScriptedPeer> peers;
        for (int i = 0; i < 3; ++i) {
            peers.push_back(ScriptedPeer::connect(port));
            peers.back().send(kCookie);
        }
        on_loop([&] { traffic_.parting = false; });
        EXPECT_EQ(peers[1].receive_rest(), "\xff");
        EXPECT_EQ(peers[2].receive_rest(), "\xff");
        EXPECT_EQ(peers[0].receive(1), "\x09");
    });
}

TEST_F(ServerAndScript, AClientMayGoAtAnyMoment)
{
    run([](std::uint16_t port) {
        ScriptedPeer::connect(port).close();
        ScriptedPeer::connect(port).send("short");
        {
            const ScriptedPeer peer = introduced(port);
        }
        {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(kParameters);
            (void)peer.receive(2);
        }
        {
            const ScriptedPeer peer = introduced(port);
            peer.send_document(kParameters);
            EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
            peer.send("\x0c");
            EXPECT_EQ(peer.receive_rest(), "");
        }
        play_good_client(port);
    });
    const std::string gone = "the client has unexpectedly closed the connection";
    sink_.failures.resize(3);
    EXPECT_EQ(sink_.failures, (std::vector<std::string>{gone, gone, "the client has terminated"}));
    EXPECT_EQ(std::count(sink_.calls.begin(), sink_.calls.end(), "success"), 1);
    EXPECT_EQ(sink_.warnings.size(), 1U);  // of two, within a second
}

TEST_F(ServerAndScript, ReportsAPortThatCannotBeHad)
{
    paths_.error = Error{Errc::kPermission, "no permission to open eth0"};
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive_rest(), "\xfe\0\0\0\xca\0\0\0\0"s);
    });
    EXPECT_EQ(sink_.failures.at(0), "unable to start stream listener: no permission to open eth0");
}

TEST_F(ServerAndScript, GivesUpAClientThatSendsNothing)
{
    plan_.rcv_timeout = 200ms;
    traffic_.data_arrives = false;
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        EXPECT_EQ(peer.receive_rest(), "\xfe\0\0\0\x90\0\0\0\0"s);
    });
    EXPECT_EQ(sink_.failures.at(0), "idle timeout for receiving data");
}

// A thousand datagrams of 100 bytes per second are 800 kbit/s.
TEST_F(ServerAndScript, EndsATestThatIsFasterThanAllowed)
{
    plan_.max_total_rate = BitRate::from_bps(700'000);
    plan_.rate_window = 300ms;
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(peer.receive_rest(), "\xfe\0\0\0\x1b\0\0\0\0"s);
        const auto took = std::chrono::steady_clock::now() - begin;
        EXPECT_GE(took, 300ms);
        EXPECT_LT(took, 900ms);
    });
    EXPECT_EQ(sink_.failures.at(0), "total required bandwidth is larger than server limit");
}

TEST_F(ServerAndScript, LetsATestRunThatIsAsFastAsAllowed)
{
    plan_.max_total_rate = BitRate::from_bps(900'000);
    plan_.rate_window = 100ms;
    run([](std::uint16_t port) {
        const ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        std::this_thread::sleep_for(600ms);
        peer.send("\x04");
        EXPECT_EQ(peer.receive(1), "\x0d");
        peer.send("\x10");
    });
}

TEST_F(ServerAndScript, ListensAnewWhenItHasBeenIdle)
{
    plan_.idle_timeout = 1s;
    run([](std::uint16_t port) {
        std::this_thread::sleep_for(1100ms);
        play_good_client(port);
    });
    EXPECT_EQ(std::count(sink_.calls.begin(), sink_.calls.end(), "success"), 1);
}

TEST_F(ServerAndScript, AnIdleTimeoutEndsAServerOfOneTest)
{
    plan_.idle_timeout = 1s;
    plan_.one_off = true;
    const auto begin = std::chrono::steady_clock::now();
    server_.emplace(loop_, plan_, paths_, watch_, sink_, sink_);
    server_->run([this](int code) { exit_code_ = code; });
    loop_.run();
    EXPECT_EQ(exit_code_, 0);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
    EXPECT_EQ(sink_.calls, std::vector<std::string>{"listening"});
}

TEST_F(ServerAndScript, TellsTheClientWhenItIsStopped)
{
    std::string rest;
    run([&](std::uint16_t port) {
        ScriptedPeer peer = introduced(port);
        peer.send_document(kParameters);
        EXPECT_EQ(peer.receive(3), "\x0a\x01\x02");
        asio::post(loop_, [this] { server_->interrupt(2); });
        rest = peer.receive_rest();
    });
    EXPECT_EQ(rest, "\x0b");
    EXPECT_EQ(exit_code_, 0);
    EXPECT_EQ(sink_.summaries.size(), 1U);
    EXPECT_EQ(sink_.failures.at(0), "interrupt - the server has terminated by signal Interrupt(2)");
}

TEST_F(ServerAndScript, EndsAfterOneTestIfAsked)
{
    plan_.one_off = true;
    server_.emplace(loop_, plan_, paths_, watch_, sink_, sink_);
    server_->run([this](int code) {
        exit_code_ = code;
        loop_.stop();
    });
    std::jthread client{[&] {
        ScriptedPeer::connect(server_->port()).close();  // a port scanner does not count
        play_good_client(server_->port());
    }};
    loop_.run();
    EXPECT_EQ(exit_code_, 0);
    EXPECT_EQ(sink_.calls.back(), "success");
}

TEST_F(ServerAndScript, APortInUseIsAFailure)
{
    const ScriptedListener other;
    plan_.port = other.port();
    plan_.bind_address = "127.0.0.1";
    run([](std::uint16_t) {});
    EXPECT_EQ(exit_code_, 1);
    EXPECT_EQ(sink_.failures.at(0), "unable to start listener for connections on 127.0.0.1 port " +
                                        std::to_string(plan_.port) + ": Address already in use");
}

}  // namespace
}  // namespace dpdkperf::test
