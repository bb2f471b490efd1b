#include "dpdkperf/proto/session.hpp"
#include "session_driver.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::proto::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kResults =
    R"({"cpu_util_total":0,"cpu_util_user":0,"cpu_util_system":0,"sender_has_retransmits":0,)"
    R"("streams":[]})";

std::vector<std::byte> hex(std::initializer_list<int> values)
{
    std::vector<std::byte> bytes;
    for (const int value : values) {
        bytes.push_back(static_cast<std::byte>(value));
    }
    return bytes;
}

std::vector<std::byte> operator+(std::vector<std::byte> a, const std::vector<std::byte>& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

std::string failure_of(const Actions& actions)
{
    const auto* failed = find<Failed>(actions);
    return failed != nullptr ? failed->message : "no failure";
}

TEST(ClientSession, HoldsTestStartUntilTheLastReplyHasArrived)
{
    Session session = Session::client({}, {});
    session.start();
    session.feed(message(Message::kParamExchange));
    session.feed(message(Message::kCreateStreams));
    // TCP overtook the UDP reply.
    EXPECT_TRUE(session.feed(hex({1, 2})).empty());
    const Actions actions = session.streams_open();
    ASSERT_EQ(actions.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<StartClock>(actions[0]));
    EXPECT_TRUE(std::holds_alternative<StartTraffic>(actions[1]));
}

TEST(ClientSession, DoesNotKeepWhatAServerPoursOutWhileHolding)
{
    Session session = Session::client({}, {});
    session.start();
    session.feed(hex({9, 10}));
    session.feed(message(Message::kTestStart));
    const Actions actions = session.feed(std::vector<std::byte>(100, std::byte{1}));
    EXPECT_EQ(failure_of(actions), "received an unknown control message");
}

std::vector<std::string> traces_of(const Actions& actions)
{
    std::vector<std::string> found;
    for (const Action& action : actions) {
        if (const auto* traced = std::get_if<Traced>(&action)) {
            found.push_back(
                traced->what + (traced->document.empty() ? "" : " " + traced->document));
        }
    }
    return found;
}

TEST(ClientSession, TracesEachMessageOnceAndBeforeWhatFollows)
{
    Session session = Session::client({}, {});
    session.trace(TraceLevel::kMessages);
    session.start();
    Actions actions = session.feed(hex({9, 10, 1, 2}));
    ASSERT_TRUE(std::holds_alternative<Traced>(actions.front()));
    auto traces = traces_of(actions);
    ASSERT_EQ(traces.size(), 3U);
    EXPECT_EQ(traces[0], "State change: State set to 9-PARAM_EXCHANGE");
    EXPECT_TRUE(traces[1].starts_with("send_parameters: {\"tcp\":true,")) << traces[1];
    EXPECT_EQ(traces[2], "State change: State set to 10-CREATE_STREAMS");

    actions = session.streams_open();  // lets go of the two that were held
    EXPECT_EQ(
        traces_of(actions), (std::vector<std::string>{"State change: State set to 1-TEST_START",
                                "State change: State set to 2-TEST_RUNNING"}));
    EXPECT_TRUE(std::holds_alternative<StartTraffic>(actions.back()));
    EXPECT_EQ(traces_of(session.end_test()),
        std::vector<std::string>{"State change: State set to 4-TEST_END"});
    actions = session.feed(hex({-2, 0, 0, 0, 121, 0, 0, 0, 0}));
    EXPECT_EQ(
        traces_of(actions), std::vector<std::string>{"State change: State set to -2-SERVER_ERROR"});
    EXPECT_TRUE(std::holds_alternative<Failed>(actions.back()));
}

TEST(ServerSession, TracesDocumentsAlone)
{
    Session session = Session::server(120s);
    session.trace(TraceLevel::kDocuments);
    session.start();
    session.feed(std::vector<std::byte>(Cookie::kSize));
    EXPECT_TRUE(traces_of(session.welcome()).empty());
    EXPECT_EQ(traces_of(session.feed(framed(R"({"udp":true,"len":64})"))),
        std::vector<std::string>{R"(get_parameters: {"udp":true,"len":64})"});
    session.accept();
    session.streams_open();
    session.feed(message(Message::kTestEnd));
    session.results({});
    const auto traces = traces_of(session.feed(framed(kResults)));
    ASSERT_EQ(traces.size(), 2U);
    EXPECT_EQ(traces[0], "get_results " + std::string{kResults});
    EXPECT_TRUE(traces[1].starts_with("send_results {\"cpu_util_total\"")) << traces[1];
}

TEST(ClientSession, ReportsARefusalInIperf3sWords)
{
    struct Case {
        std::vector<std::byte> answer;
        std::string message;
    };
    const Case cases[] = {
        {hex({0xff}), "the server is busy running a test. try again later"},
        {hex({0xfe, 0, 0, 0, 20, 0, 0, 0, 0}),
            "block size invalid (minimum = 16 bytes, maximum = 65507 bytes)"},
        {hex({0xfe, 0, 0, 0, 202, 0, 0, 0, 98}),
            "unable to start stream listener: Address already in use"},
        {hex({0xfe, 0, 0, 3, 0xe7, 0, 0, 0, 0}), "int_errno=999"},
        {hex({0x33}), "received an unknown control message: 51"},
        {hex({14}), "received an unknown control message"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        for (const bool split : {false, true}) {
            Session session = Session::client({}, {});
            session.start();
            Actions actions;
            if (split) {
                for (const std::byte byte : c.answer) {
                    actions = session.feed({&byte, 1});
                }
            } else {
                actions = session.feed(c.answer);
            }
            EXPECT_EQ(failure_of(actions), c.message);
            EXPECT_TRUE(session.over());
        }
    }
}

// Releases 3.10 and later send nothing after a refusal.
TEST(ClientSession, SaysNothingAfterARefusal)
{
    for (const auto& refusal : {hex({0xff}), hex({0xfe, 0, 0, 0, 27, 0, 0, 0, 0})}) {
        Session session = Session::client({}, {});
        session.start();
        const Actions actions = session.feed(refusal);
        EXPECT_TRUE(sent_by(actions).empty());
        ASSERT_NE(find<Failed>(actions), nullptr);
        EXPECT_TRUE(find<Failed>(actions)->by_peer);
        EXPECT_TRUE(session.end_test().empty());
        EXPECT_TRUE(session.terminate().empty());
        EXPECT_TRUE(session.closed().empty());
    }
}

// Servers up to 3.18 leave the errno out when they refuse a password.
TEST(ClientSession, UnderstandsAServerErrorWithoutErrno)
{
    Session session = Session::client({}, {});
    session.start();
    session.feed(message(Message::kParamExchange));
    EXPECT_TRUE(session.feed(hex({0xfe, 0, 0, 0, 142})).empty());
    EXPECT_EQ(failure_of(session.closed()), "test authorization failed");
}

TEST(ClientSession, TakesTheEndOfTheConnectionInEveryState)
{
    Session fresh = Session::client({}, {});
    fresh.start();
    EXPECT_EQ(failure_of(fresh.closed()), "control socket has closed unexpectedly");
    Session opening = client_with_open_streams();
    EXPECT_EQ(failure_of(opening.closed()), "control socket has closed unexpectedly");
    Session running = client_while_running();
    EXPECT_EQ(failure_of(running.closed()), "control socket has closed unexpectedly");
}

TEST(ClientSession, SaysDoneWhenTheServerIsTerminated)
{
    Session session = client_while_running();
    const Actions actions = session.feed(message(Message::kServerTerminate));
    EXPECT_EQ(sent_by(actions), message(Message::kIperfDone));
    EXPECT_NE(find<PeerTerminated>(actions), nullptr);
}

TEST(ClientSession, SaysDoneWhenItFailsItself)
{
    Session session = Session::client({}, {});
    session.start();
    session.feed(hex({9, 10}));
    const Actions actions = session.fail({IperfError::kStreamRead, 11, {}});
    EXPECT_EQ(sent_by(actions), message(Message::kIperfDone));
    EXPECT_EQ(
        failure_of(actions), "unable to read from stream socket: Resource temporarily unavailable");
}

TEST(ClientSession, TellsTheServerWhenItsUserStopsIt)
{
    Session session = client_while_running();
    EXPECT_EQ(sent_by(session.terminate()), message(Message::kClientTerminate));
    EXPECT_TRUE(session.over());
}

TEST(ClientSession, UnderstandsAGoodbyeInPlaceOfResults)
{
    struct Case {
        std::vector<std::byte> bytes;
        std::string message;
    };
    const Case cases[] = {
        {hex({0xfe, 0, 0, 0, 117, 0, 0, 0, 0}), "unable to receive results"},
        {hex({4, 0, 0, 1}),
            "unable to receive results: a document of 67108865 bytes, limit 67108864"},
        {hex({0, 0, 0, 0}), "unable to receive results: a document of 0 bytes, limit 67108864"},
        {hex({0xff, 0xff, 0xff, 0xff}),
            "unable to receive results: a document of 4294967295 bytes, limit 67108864"},
        {hex({0, 0, 0, 2, '[', ']'}), "unable to receive results: not a JSON object"},
    };
    for (const Case& c : cases) {
        Session session = client_while_running();
        session.end_test();
        session.feed(message(Message::kExchangeResults));
        session.results({});
        EXPECT_EQ(failure_of(session.feed(c.bytes)), c.message);
    }
}

// Some begin with the bytes of messages.
TEST(ClientSession, AwaitsResultsOfAnyLengthWithinTheLimit)
{
    for (const int first : {0, 1, 2, 3, 4}) {
        Session session = client_while_running();
        session.end_test();
        session.feed(message(Message::kExchangeResults));
        session.results({});
        EXPECT_TRUE(session.feed(hex({first, 0, 0, first == 0})).empty()) << first;
        EXPECT_TRUE(session.deadline()) << first;
    }
}

TEST(ClientSession, DoesNotWaitForEverForTheRestOfAServerError)
{
    struct Case {
        std::vector<std::byte> bytes;
        std::string message;
    };
    const Case cases[] = {
        {hex({0xfe, 0, 0}), "received an unknown control message: SERVER_ERROR without its number"},
        {hex({0xfe, 0, 0, 0, 142, 0}), "test authorization failed"},
    };
    for (const Case& c : cases) {
        Session session = client_while_running();  // where it has no deadline otherwise
        EXPECT_TRUE(session.feed(c.bytes).empty());
        ASSERT_TRUE(session.deadline());
        EXPECT_EQ(session.deadline()->total, 10s);
        EXPECT_EQ(failure_of(session.expired()), c.message);
        EXPECT_TRUE(session.over());
    }
}

TEST(ClientSession, TakesDisplayResultsGluedToTheResults)
{
    Session session = client_while_running();
    session.end_test();
    session.feed(message(Message::kExchangeResults));
    session.results({});
    const Actions actions = session.feed(framed(kResults) + message(Message::kDisplayResults));
    ASSERT_EQ(actions.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<ResultsReceived>(actions[0]));
    EXPECT_TRUE(std::holds_alternative<ShowSummary>(actions[1]));
    EXPECT_EQ(sent_by(actions), message(Message::kIperfDone));
    EXPECT_TRUE(std::holds_alternative<Finished>(actions[3]));
}

// A 3.21 server may append its last error to the end.
TEST(ClientSession, IgnoresWhatComesAfterTheEnd)
{
    Session session = client_while_running();
    session.end_test();
    session.feed(message(Message::kExchangeResults));
    session.results({});
    session.feed(framed(kResults) + message(Message::kDisplayResults));
    EXPECT_TRUE(session.feed(hex({0xfe, 0, 0, 0, 110, 0, 0, 0, 0})).empty());
    EXPECT_TRUE(session.closed().empty());
    EXPECT_FALSE(session.deadline());
}

TEST(ClientSession, GivesUpOnASilentServer)
{
    Session session = Session::client({}, {});
    session.start();
    ASSERT_TRUE(session.deadline());
    EXPECT_EQ(session.deadline()->total, 30s);
    EXPECT_EQ(failure_of(session.expired()), "unable to receive control message: nothing for 30 s");
}

TEST(ClientSession, WaitsForItsOwnSideWithoutADeadline)
{
    Session session = client_while_running();
    EXPECT_FALSE(session.deadline());
    EXPECT_TRUE(session.expired().empty());
    EXPECT_FALSE(session.over());
}

TEST(ServerSession, AnswersBadInputWithIperf3sNumberAndEnds)
{
    struct Case {
        std::vector<std::byte> bytes;
        int number;
    };
    const Case cases[] = {
        {hex({0xff, 0xff, 0xff, 0xff}), 114},
        {hex({0, 0, 0, 0}), 114},
        {hex({0, 0, 0x20, 0x01}), 114},
        {framed("[]"), 114},
        {framed(R"({"title":5})"), 114},
        {framed(R"({"parallel":500})"), 6},
        {framed(R"({"len":1000000000})"), 7},
        {framed(R"({"udp":true,"len":15})"), 20},
    };
    for (const Case& c : cases) {
        Session session = server_awaiting_parameters();
        const Actions actions = session.feed(c.bytes);
        EXPECT_EQ(sent_by(actions), hex({0xfe, 0, 0, 0, c.number, 0, 0, 0, 0}));
        EXPECT_TRUE(session.over());
    }
}

TEST(ServerSession, MessagesOutOfTurnAreAnsweredWith110)
{
    for (const int byte : {1, 2, 9, 10, 13, 14, 0xff, 0xfe, 0, 3, 99}) {
        SCOPED_TRACE(byte);
        Session session = server_while_running();
        EXPECT_EQ(sent_by(session.feed(hex({byte}))), hex({0xfe, 0, 0, 0, 110, 0, 0, 0, 0}));
    }
}

TEST(ServerSession, TakesAGoodbyeInEveryState)
{
    const std::string gave_up = "the client has terminated: it gave up before the test was over";
    const auto sessions = [] {
        std::vector<Session> all;
        all.push_back(server_awaiting_parameters());
        all.push_back(server_while_opening());
        all.push_back(server_while_running());
        all.push_back(server_while_running());
        all.back().feed(message(Message::kTestEnd));
        all.push_back(all.back());
        all.back().results({});
        return all;
    };
    for (Session& session : sessions()) {
        EXPECT_EQ(failure_of(session.feed(message(Message::kIperfDone))), gave_up);
        EXPECT_TRUE(session.over());
    }
    for (Session& session : sessions()) {
        EXPECT_NE(find<PeerTerminated>(session.feed(message(Message::kClientTerminate))), nullptr);
    }
    for (Session& session : sessions()) {
        EXPECT_EQ(
            failure_of(session.closed()), "the client has unexpectedly closed the connection");
    }
}

TEST(ServerSession, CountsATestWithoutAGoodbyeAsDone)
{
    for (const bool by_silence : {false, true}) {
        Session session = server_while_running();
        session.feed(message(Message::kTestEnd));
        session.results({});
        session.feed(framed(kResults));
        const Actions actions = by_silence ? session.expired() : session.closed();
        ASSERT_NE(find<Finished>(actions), nullptr);
        EXPECT_FALSE(find<Finished>(actions)->clean);
    }
}

TEST(ServerSession, StartsTheClockBetweenItsTwoMessages)
{
    Session session = server_while_opening();
    const Actions actions = session.streams_open();
    ASSERT_EQ(actions.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<StartClock>(actions[1]));
    EXPECT_TRUE(std::holds_alternative<StartTraffic>(actions[3]));
    EXPECT_EQ(sent_by(actions), hex({1, 2}));
}

TEST(ServerSession, TurnsASecondClientAwayWithOneByte)
{
    Session session = Session::server(1s);
    session.start();
    session.feed(std::vector<std::byte>(Cookie::kSize));
    EXPECT_EQ(sent_by(session.turn_away()), hex({0xff}));
    EXPECT_TRUE(session.over());
}

TEST(ServerSession, AnyBytesAreACookie)
{
    Session session = Session::server(1s);
    session.start();
    EXPECT_TRUE(session.feed(std::vector<std::byte>(36, std::byte{0xff})).empty());
    EXPECT_NE(find<CookieReceived>(session.feed(hex({0xff}))), nullptr);
}

TEST(ServerSession, HasADeadlineForEverythingTheClientOwes)
{
    Session silent = Session::server(120s);
    silent.start();
    EXPECT_EQ(silent.deadline()->total, 10s);
    EXPECT_EQ(sent_by(silent.expired()), hex({0xfe, 0, 0, 0, 106, 0, 0, 0, 0}));

    Session mute = server_awaiting_parameters();
    EXPECT_EQ(mute.deadline()->quiet, 10s);
    EXPECT_EQ(mute.deadline()->total, 30s);
    EXPECT_EQ(sent_by(mute.expired()), hex({0xfe, 0, 0, 0, 114, 0, 0, 0, 0}));

    Session without_hello = server_while_opening();
    EXPECT_EQ(without_hello.deadline()->total, 120s);
    EXPECT_EQ(sent_by(without_hello.expired()), hex({0xfe, 0, 0, 0, 144, 0, 0, 0, 0}));

    Session endless = server_while_running(R"({"udp":true,"len":1000,"time":5,"omit":2})");
    EXPECT_EQ(endless.deadline()->total, 47s);
    EXPECT_EQ(sent_by(endless.expired()), hex({0xfe, 0, 0, 0, 160, 0, 0, 0, 0}));

    // By bytes: the watch for data is all there is, as in iperf3.
    EXPECT_FALSE(server_while_running(R"({"udp":true,"len":99,"time":0,"num":5})").deadline());
}

TEST(ServerSession, RefusesWhatItsOwnerCannotDo)
{
    Session session = server_awaiting_parameters();
    const Actions asked = session.feed(framed("{}"));
    ASSERT_NE(find<ParametersReceived>(asked), nullptr);
    const Actions actions = session.fail({IperfError::kNotImplemented, 0, {}});
    EXPECT_EQ(sent_by(actions), hex({0xfe, 0, 0, 0, 13, 0, 0, 0, 0}));
}

TEST(ServerSession, TellsTheClientWhenItsUserStopsIt)
{
    Session session = server_while_running();
    EXPECT_EQ(sent_by(session.terminate()), message(Message::kServerTerminate));
}

}  // namespace
}  // namespace dpdkperf::proto::test
