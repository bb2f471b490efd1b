// How our client gets to a server, and waits for it.

#include "client_and_script.hpp"

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

namespace dpdkperf::test {
namespace {

using namespace std::string_literals;

TEST_F(ClientAndScript, NamesAHostThatDoesNotExist)
{
    plan_.host = "no..host";  // an empty label: no resolver is asked
    EXPECT_EQ(run_alone(), 1);
    EXPECT_EQ(
        sink_.failures.at(0).find("unable to connect to server: cannot find host 'no..host': "),
        0U);
}

TEST_F(ClientAndScript, ReportsARefusedConnection)
{
    plan_.port = 1;  // tcpmux: nobody
    EXPECT_EQ(run_alone(), 1);
    EXPECT_EQ(sink_.failures,
        std::vector<std::string>{"unable to connect to server: Connection refused"});
    EXPECT_EQ(paths_.releases, 1);
    EXPECT_TRUE(paths_.settled_after.empty()) << "another address may be tried";
}

TEST_F(ClientAndScript, ReportsThatThereIsNoPort)
{
    paths_.error = Error{Errc::kBusy, "interface eth0 is in use by dpdkperf (pid 1)"};
    EXPECT_EQ(run_alone(), 1);
    EXPECT_EQ(
        sink_.failures, std::vector<std::string>{"interface eth0 is in use by dpdkperf (pid 1)"});
}

TEST_F(ClientAndScript, WaitsForAServerThatIsBusy)
{
    plan_.wait = 60s;
    std::vector<std::string> cookies;
    std::jthread server{[&] {
        for (int i = 0; i < 2; ++i) {
            const ScriptedPeer peer = listener_.accept();
            cookies.push_back(peer.receive(37));
            peer.send("\xff");
        }
        const ScriptedPeer peer = listener_.accept();
        up_to_running(peer);
        up_to_the_end(peer);
    }};
    EXPECT_EQ(run_alone(), 0);
    server.join();
    ASSERT_EQ(cookies.size(), 2U);
    EXPECT_NE(cookies[0], cookies[1]);
    EXPECT_EQ(sink_.warnings,
        std::vector<std::string>{
            "waiting for the server: the server is busy running a test. try again later"});
    EXPECT_EQ(sink_.calls, (std::vector<std::string>{"connecting", "warned", "started", "connected",
                               "summary", "success"}));
    EXPECT_EQ(paths_.requests.size(), 3U);
    EXPECT_EQ(paths_.releases, 3);
}

TEST_F(ClientAndScript, WaitsUntilTheServerCanBeReached)
{
    plan_.wait = 60s;
    plan_.blocks = 0;
    paths_.error = Error{Errc::kTimeout, "no answer from 10.0.0.2 on px0"};
    at_call("warned", [&] { paths_.error.reset(); });
    at_call("connected", [&] { client_->interrupt(SIGINT); });
    run([&](const ScriptedPeer& peer) {
        up_to_running(peer);
        (void)peer.receive_rest();
    });
    EXPECT_EQ(sink_.warnings,
        std::vector<std::string>{"waiting for the server: no answer from 10.0.0.2 on px0"});
    EXPECT_EQ(sink_.calls.at(2), "started");
}

TEST_F(ClientAndScript, EndsWithTheLastErrorWhenTheTimeIsOver)
{
    plan_.wait = 1s;
    plan_.port = 1;  // tcpmux: nobody
    for (const bool json : {false, true}) {
        plan_.json = json;
        sink_.warnings.clear();
        sink_.failures.clear();
        loop_.restart();
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(run_alone(), 1);
        EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
        EXPECT_EQ(sink_.failures,
            std::vector<std::string>{"unable to connect to server: Connection refused"});
        EXPECT_EQ(sink_.warnings.size(), json ? 0U : 1U);
    }
    EXPECT_GE(paths_.requests.size(), 4U);
    EXPECT_LE(paths_.requests.size(), 10U);  // a try every 250 ms, twice
}

TEST_F(ClientAndScript, DoesNotWaitForWhatWillNotPass)
{
    plan_.wait = 60s;
    struct Case {
        const char* name;
        void (*script)(const ScriptedPeer& peer);
    };
    const Case cases[] = {
        {"refuses the password",
            [](const ScriptedPeer& peer) {
                (void)up_to_parameters(peer);
                peer.send("\xfe\0\0\0\x8e\0\0\0\0"s);
            }},
        {"is no iperf3", [](const ScriptedPeer& peer) { peer.send("HTTP/1.1 400\r\n"); }},
        {"closes during the test", [](const ScriptedPeer& peer) { up_to_running(peer); }},
        {"fails during the test, by the number of \"busy\"",
            [](const ScriptedPeer& peer) {
                up_to_running(peer, "\1\2\xfe\0\0\0\x79\0\0\0\0"s);
                (void)peer.receive_rest();
            }},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        sink_.failures.clear();
        loop_.restart();
        EXPECT_EQ(run(c.script), 1);
        EXPECT_EQ(sink_.failures.size(), 1U);
        EXPECT_TRUE(sink_.warnings.empty());
    }
    paths_.error = Error{Errc::kBusy, "interface eth0 is in use by dpdkperf (pid 1)"};
    loop_.restart();
    EXPECT_EQ(run_alone(), 1);
    EXPECT_TRUE(sink_.warnings.empty());
}

TEST_F(ClientAndScript, CanBeInterruptedWhileItWaits)
{
    plan_.wait = 60s;
    plan_.port = 1;
    at_call("warned", [&] { client_->interrupt(SIGINT); });
    EXPECT_EQ(run_alone(), 0);
    ASSERT_EQ(sink_.failures.size(), 1U);
    EXPECT_TRUE(sink_.failures[0].starts_with("interrupt - "));
    EXPECT_EQ(paths_.releases, 1);
}

}  // namespace
}  // namespace dpdkperf::test
