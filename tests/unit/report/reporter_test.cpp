#include "dpdkperf/report/reporter.hpp"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;

Endpoint endpoint(std::string_view address, std::uint16_t port)
{
    return {*IpAddress::parse(address), port};
}

stats::TestSettings client_settings()
{
    stats::TestSettings settings;
    settings.host = "10.0.0.2";
    settings.port = 5201;
    settings.streams = 1;
    settings.block_bytes = 1000;
    settings.rate = BitRate::from_bps(8'000'000);
    return settings;
}

// A stream of ours, 1000 datagrams of 1000 bytes in a second, of which `arrived` did.
stats::Summary client_summary(std::uint64_t arrived)
{
    stats::StreamTotal stream;
    stream.socket = 5;
    stream.sender = true;
    stream.sent = stats::SideTotal{PayloadBytes{1'000'000}, 1s, 1000};
    stream.received = stats::SideTotal{PayloadBytes{arrived * 1000}, 1s, 1000};
    stream.lost = 3;
    stream.ring_full = 17;
    stream.offered = 1032;
    stream.sent_frames.add({1042}, 1000);
    stats::Summary summary;
    summary.streams = {stream};
    summary.port = {.interface = "eth0",
        .driver = "net_af_xdp",
        .bad_checksum = 2,
        .link_speed = BitRate::from_bps(100'000'000),
        .pollers = {{.cpu = 3, .turns = 1000, .busy_turns = 500, .time = 2s, .busy_time = 500ms}}};
    return summary;
}

struct Printed {
    std::string out, err;
};

template <class Play>
Printed printed(Style style, Play&& play)
{
    std::ostringstream out, err;
    style.version = "dpdkperf 0.1.0";
    style.system_info = "System";
    {
        Reporter reporter{style, out, err};
        play(reporter);
    }
    return {out.str(), err.str()};
}

TEST(Reporter, WritesWhatIsPendingBeforeItGoes)
{
    const auto [out, err] = printed({}, [](stats::ReportSink& sink) {
        for (int i = 0; i < 1000; ++i) {
            sink.warned(std::to_string(i));
        }
    });
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        expected += "warning: " + std::to_string(i) + '\n';
    }
    EXPECT_EQ(err, expected);
}

TEST(Reporter, FlushReturnsWhenAllIsWritten)
{
    std::ostringstream out, err;
    Reporter reporter{{}, out, err};
    for (int i = 1; i <= 100; ++i) {
        reporter.warned("again");
        reporter.flush();
        EXPECT_EQ(err.str().size(), static_cast<std::size_t>(i) * 15);
    }
}

TEST(Reporter, ServerStartsAfreshWithEachTest)
{
    stats::TestSettings settings = client_settings();
    settings.server = true;
    settings.peer = endpoint("10.0.0.1", 40'000);
    stats::IntervalReport interval;
    interval.streams = {{5, false, 0ns, 1s, PayloadBytes{1000}, 1, 0, 0}};
    const auto play = [&](stats::ReportSink& sink) {
        for (const std::uint64_t test : {1U, 2U}) {
            sink.listening(5201, test);
            sink.accepted(*settings.peer);
            sink.started(settings);
            sink.connected({});
            sink.interval(interval);
            sink.failed("the client has terminated");
            sink.finished(false);
        }
    };
    const std::string one =
        "Accepted connection from 10.0.0.1, port 40000\n"
        "[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams\n"
        "[  5]   0.00-1.00   sec  1000 Bytes  8.00 Kbits/sec  0.000 ms  0/1 (0%)  \n";
    const std::string line(59, '-');
    const auto [out, err] = printed({}, play);
    EXPECT_EQ(out, line + "\nServer listening on 5201 (test #1)\n" + line + '\n' + one + line +
                       "\nServer listening on 5201 (test #2)\n" + line + '\n' + one);
    EXPECT_EQ(err, "dpdkperf: the client has terminated\ndpdkperf: the client has terminated\n");

    Style json;
    json.json = true;
    const std::string objects = printed(json, play).out;
    std::istringstream both{objects};
    for (int i = 0; i < 2; ++i) {
        nlohmann::json object;
        both >> object;
        EXPECT_EQ(object["intervals"].size(), 1U);
        EXPECT_EQ(object["error"], "the client has terminated");
    }
}

TEST(Reporter, ErrorsReadAsIperf3s)
{
    struct Case {
        std::string message, text, in_json;
        bool begun;
    };
    const Case cases[] = {
        {"unable to connect to server: Connection refused",
            "dpdkperf: error - unable to connect to server: Connection refused\n",
            "unable to connect to server: Connection refused", true},
        {"interrupt - the client has terminated",
            "dpdkperf: interrupt - the client has terminated\n",
            "interrupt - the client has terminated", true},
        {"interrupt - the server has terminated",
            "dpdkperf: interrupt - the server has terminated\n",
            "interrupt - the server has terminated", false},
        {"the client has unexpectedly closed the connection",
            "dpdkperf: the client has unexpectedly closed the connection\n",
            "the client has unexpectedly closed the connection", true},
        {"unable to start listener for connections: Address already in use",
            "dpdkperf: error - unable to start listener for connections: Address already in use\n",
            "error - unable to start listener for connections: Address already in use", false},
    };
    for (const Case& c : cases) {
        const auto play = [&](stats::ReportSink& sink) {
            if (c.begun) {
                sink.connecting("h", 5201, false);
            }
            sink.failed(c.message);
            sink.finished(false);
        };
        const auto text = printed({}, play);
        EXPECT_EQ(text.out, "");
        EXPECT_EQ(text.err, c.text);

        Style json;
        json.json = true;
        const auto object = printed(json, play);
        EXPECT_EQ(object.err, "");
        EXPECT_EQ(nlohmann::json::parse(object.out)["error"], c.in_json);
    }
}

// So a test of any length takes no more memory than a short one.
TEST(Reporter, JsonComesPartByPart)
{
    std::ostringstream out, err;
    Style style;
    style.json = true;
    Reporter reporter{style, out, err};
    reporter.connecting("10.0.0.2", 5201, false);
    reporter.started(client_settings());
    reporter.connected({{5, endpoint("10.0.0.1", 4000), endpoint("10.0.0.2", 5201)}});
    reporter.flush();
    EXPECT_TRUE(out.str().ends_with("},\n\t\"intervals\":\t[")) << out.str();
    reporter.interval({false, {{5, true, 0ns, 1s, PayloadBytes{1000}, 1, 0, 0}}});
    reporter.flush();
    EXPECT_TRUE(nlohmann::json::accept(out.str() + "]}")) << out.str();
    reporter.summary(client_summary(1000));
    reporter.finished(true);
    reporter.flush();
    EXPECT_TRUE(nlohmann::json::accept(out.str()));
}

// iperf3 counted 3 lost, because the last 2 left no gap behind them.
TEST(Reporter, TellsWhatIperf3DoesNotKnow)
{
    const auto play = [](stats::ReportSink& sink) {
        sink.connecting("10.0.0.2", 5201, false);
        sink.started(client_settings());
        sink.connected({});
        sink.summary(client_summary(995));
        sink.finished(true);
    };
    Style style;
    EXPECT_EQ(printed(style, play).err, "");
    style.extras = true;
    EXPECT_EQ(printed(style, play).err,
        "dpdkperf: [  5] 1000 packets/s sent, 995 packets/s received, 5 truly lost (0.5%), "
        "17 turns with a full ring\n"
        "dpdkperf: eth0 (net_af_xdp): 2 bad checksums\n"
        "dpdkperf: sent 1000 packets/s: 8.34 Mbits/sec of frames, 8.53 Mbits/sec on the wire, "
        "8.53% of the link\n"
        "dpdkperf: poller on CPU 3: 25% busy\n");

    style.json = true;
    const auto root = nlohmann::ordered_json::parse(printed(style, play).out);
    EXPECT_EQ((--root.end()).key(), "dpdkperf");
    EXPECT_EQ(root["dpdkperf"],
        nlohmann::ordered_json::parse(R"({"version": "dpdkperf 0.1.0", "interface": "eth0",
            "driver": "net_af_xdp", "link_bits_per_second": 100000000, "arrival_clock": "burst",
            "stamp_clock": "burst", "stamp_unit_ns": 1000,
            "sent": {"packets": 1000, "packets_per_second": 1000.0,
                "frame_bits_per_second": 8336000.0, "wire_bits_per_second": 8528000.0,
                "link_percent": 8.528},
            "received": {"packets": 0, "packets_per_second": 0.0, "frame_bits_per_second": 0.0,
                "wire_bits_per_second": 0.0, "link_percent": 0.0},
            "streams": [{"socket": 5, "asked_bits_per_second": 8000000, "packets_per_second": 1000.0,
                "frame_bits_per_second": 8336000.0, "wire_bits_per_second": 8528000.0,
                "offered": 1032, "accepted": 1000, "received": 995, "true_lost": 5,
                "ring_full": 17}],
            "port": {"bad_checksum": 2, "bad_length": 0, "unexpected": 0, "pool_empty": 0,
                     "handed_over": 0, "not_handed_over": 0},
            "pollers": [{"cpu": 3, "turns": 1000, "busy_turns": 500, "busy_percent": 25.0,
                "mean_turn_ns": 2000000.0}]})"));
}

// A connection on a clean path has no line, others tell what is not 0.
TEST(Reporter, TellsWhatATcpConnectionWentThrough)
{
    stats::TestSettings settings = client_settings();
    settings.udp = false;
    stats::Summary summary = client_summary(0);
    summary.port = {.interface = "eth0", .driver = "net_af_xdp"};
    summary.streams.front().reordering = 3;
    summary.streams.front().sent_frames = {};
    summary.streams.front().sent_frames.add({1514}, 700);
    summary.streams.front().received_frames.add({54}, 350);
    summary.streams.push_back(summary.streams.front());
    stats::StreamTotal& rough = summary.streams.back();
    rough.socket = 7;
    rough.reordering = 12;
    rough.health.timeouts = 2;
    rough.health.inexact_reset = 10'000;
    rough.health.challenge_acks = 100;
    const auto play = [&](stats::ReportSink& sink) {
        sink.started(settings);
        sink.summary(summary);
        sink.finished(true);
    };
    Style style;
    style.extras = true;
    EXPECT_EQ(printed(style, play).err,
        "dpdkperf: [  7] 2 timeouts, 10000 inexact resets, 100 challenge ACKs, "
        "reordering of 12 segments\n"
        "dpdkperf: sent 1400 packets/s: 17.0 Mbits/sec of frames, 17.2 Mbits/sec on the wire\n"
        "dpdkperf: received 700 packets/s:  302 Kbits/sec of frames,  470 Kbits/sec on the wire\n");

    style.json = true;
    const auto root = nlohmann::json::parse(printed(style, play).out);
    const auto& quiet = root["dpdkperf"]["streams"][0];
    EXPECT_EQ(quiet["reordering"], 3);
    EXPECT_EQ(quiet["asked_bits_per_second"], 8'000'000);
    EXPECT_EQ(quiet["wire_bits_per_second"], 700 * (1514 + 24) * 8.0);
    const auto& back = root["dpdkperf"]["received"];
    EXPECT_EQ(back["frame_bits_per_second"], 700 * 54 * 8.0);
    EXPECT_EQ(back["wire_bits_per_second"], 700 * (60 + 24) * 8.0) << "short frames are padded";
    EXPECT_FALSE(back.contains("link_percent")) << "nobody knows the link's speed";
    EXPECT_EQ(quiet["inexact_reset"], 0);
    const auto& told = root["dpdkperf"]["streams"][1];
    EXPECT_EQ(told["timeouts"], 2);
    EXPECT_EQ(told["inexact_reset"], 10'000);
    EXPECT_EQ(told["challenge_acks"], 100);
    EXPECT_EQ(told["reordering"], 12);
}

// Nobody may take the figures of a bad link for those of a good one.
TEST(Reporter, SaysLoudlyThatPacketsAreImpaired)
{
    stats::TestSettings settings = client_settings();
    settings.impairment = "tx:loss=1% seed=1";
    stats::Summary summary = client_summary(995);
    summary.port.impaired = {.transmitted = {7, 6, 5, 0}, .received = {4, 3, 2, 1}};
    const auto play = [&](stats::ReportSink& sink) {
        sink.started(settings);
        sink.summary(summary);
        sink.finished(true);
    };
    const std::string first =
        "warning: packets are impaired on purpose (--impair tx:loss=1% seed=1)\n";
    Style style;
    EXPECT_EQ(printed(style, play).err,
        first +
            "warning: packets were impaired on purpose: of those sent 7 lost, 6 twice, 5 out of "
            "order; of those received 4 lost, 3 twice, 2 out of order, 1 lost because too many "
            "were late\n");
    style.json = true;
    const auto [out, err] = printed(style, play);
    EXPECT_EQ(err, first);
    EXPECT_EQ(nlohmann::json::parse(out)["dpdkperf"]["impairment"], nlohmann::json::parse(R"({
        "asked": "tx:loss=1% seed=1",
        "sent": {"lost": 7, "twice": 6, "reordered": 5, "overflown": 0},
        "received": {"lost": 4, "twice": 3, "reordered": 2, "overflown": 1}})"));
}

TEST(Reporter, ReceiverCountsTrueLossByArrivals)
{
    stats::Summary summary = client_summary(1000);
    stats::StreamTotal& stream = summary.streams.front();
    stream.sender = false;
    stream.arrived = 993;
    stream.duplicates = 4;
    stream.late = 3;
    stream.received_frames.add({1042}, 993);
    stream.ring_full.reset();
    Style style;
    style.json = true;
    const auto [out, err] = printed(style, [&](stats::ReportSink& sink) {
        stats::TestSettings settings = client_settings();
        settings.reverse = true;
        sink.started(settings);
        sink.summary(summary);
        sink.finished(true);
    });
    EXPECT_EQ(nlohmann::json::parse(out)["dpdkperf"]["streams"],
        nlohmann::json::parse(
            R"([{"socket": 5, "asked_bits_per_second": 8000000, "packets_per_second": 993.0,
                 "frame_bits_per_second": 8277648.0, "wire_bits_per_second": 8468304.0,
                 "received": 989, "arrived": 993, "duplicates": 4, "late": 3, "true_lost": 8}])"));
}

// Of whole files there are recordings.
TEST(Reporter, TellsHowMuchOfAFileWasSent)
{
    stats::TestSettings settings = client_settings();
    settings.udp = false;
    stats::Summary summary = client_summary(1000);
    summary.streams.front().file = {"in.bin", 3'000'000};
    Style style;
    const std::string text = printed(style, [&](stats::ReportSink& sink) {
        sink.connecting("10.0.0.2", 5201, false);
        sink.started(settings);
        sink.connected({});
        sink.summary(summary);
        sink.finished(true);
    }).out;
    EXPECT_NE(text.find("sender\n        Sent  977 KByte / 2.86 MByte (33%) of in.bin\n"),
        std::string::npos)
        << text;
}

TEST(Reporter, ShowsTracesInTextAlone)
{
    const auto play = [](stats::ReportSink& sink) {
        sink.connecting("h", 5201, false);
        sink.traced({"State change: State set to 1-TEST_START", ""});
        sink.traced({"send_results", R"({"a":[1]})"});
        sink.finished(false);
    };
    Style style;
    style.title = "title";
    EXPECT_EQ(printed(style, play).out,
        "State change: State set to 1-TEST_START\nsend_results\n{\n\t\"a\":\t[1]\n}\n");
    style.json = true;
    const auto [out, err] = printed(style, play);
    EXPECT_FALSE(nlohmann::json::parse(out).contains("a"));
    EXPECT_EQ(err, "");
}

TEST(Reporter, ShowsTheServersOutput)
{
    const auto play = [](bool json) {
        return [json](stats::ReportSink& sink) {
            sink.server_output({json ? R"({"a": 1})" : "server's words\n", json});
            sink.summary({});
            sink.finished(false);
        };
    };
    EXPECT_TRUE(printed({}, play(false)).out.ends_with("\nServer output:\nserver's words\n\n"));
    EXPECT_TRUE(
        printed({}, play(true)).out.ends_with("\nServer JSON output:\n{\n\t\"a\":\t1\n}\n"));
    Style style;
    style.json = true;
    const auto object = nlohmann::json::parse(printed(style, play(true)).out);
    EXPECT_EQ(object["server_output_json"]["a"], 1);
    const auto text = nlohmann::json::parse(printed(style, play(false)).out);
    EXPECT_EQ(text["server_output_text"], "server's words\n");
}

// Two tests of a server at the same time, report by report.
void play_two(Reporter& reporter)
{
    stats::TestSettings settings = client_settings();
    settings.server = settings.reverse = true;
    settings.peer = endpoint("10.0.0.1", 40000);
    reporter.listening(5201, 7);
    const auto seventh = reporter.sink_of(7), eighth = reporter.sink_of(8);
    for (const auto& sink : {seventh.get(), eighth.get()}) {
        sink->accepted(*settings.peer);
        sink->started(settings);
        sink->connected({{5, endpoint("10.0.0.2", 5201), endpoint("10.0.0.1", 40001)}});
    }
    for (const auto& sink : {seventh.get(), eighth.get()}) {
        sink->interval({false, {{5, true, 0s, 1s, {1'000'000}, 1000, 0, 0}}});
    }
    eighth->summary(client_summary(1000));
    eighth->finished(true);
    seventh->failed("idle timeout for receiving data");
    seventh->finished(false);
}

Printed printed_two(Style style)
{
    std::ostringstream out, err;
    style.several_tests = true;
    {
        Reporter reporter{style, out, err};
        play_two(reporter);
    }
    return {out.str(), err.str()};
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

TEST(TestsAtTheSameTime, EachHaveTheirMarkBeforeEveryLine)
{
    Style style;
    style.extras = true;
    const auto [out, err] = printed_two(style);
    const auto lines = lines_of(out);
    const std::vector<std::string> begins{"-----", "Server listening on 5201 (test #7)", "-----",
        "[#7] Accepted connection from 10.0.0.1", "[#7] [  5] local 10.0.0.2 port 5201 connected",
        "[#8] Accepted connection from 10.0.0.1", "[#8] [  5] local 10.0.0.2 port 5201 connected",
        "[#7] [ ID] Interval", "[#7] [  5]   0.00-1.00", "[#8] [ ID] Interval",
        "[#8] [  5]   0.00-1.00", "[#8] - - -", "[#8] [ ID] Interval", "[#8] [  5]   0.00-1.00"};
    ASSERT_EQ(lines.size(), begins.size()) << out;
    for (std::size_t i = 0; i < begins.size(); ++i) {
        EXPECT_EQ(lines[i].find(begins[i]), 0U) << lines[i];
    }
    EXPECT_EQ(err.find("[#8] dpdkperf: [  5] "), 0U) << err;
    EXPECT_NE(
        err.find("[#7] dpdkperf: error - idle timeout for receiving data\n"), std::string::npos);
}

TEST(TestsAtTheSameTime, HaveADocumentEachAsTheyEnd)
{
    Style style;
    style.json = true;
    std::istringstream out{printed_two(style).out};
    nlohmann::json first, second;
    out >> first >> second;
    EXPECT_EQ(first["dpdkperf"]["test"], 8);
    EXPECT_EQ(first["intervals"].size(), 1U);
    EXPECT_FALSE(first["end"].empty());
    EXPECT_EQ(second["dpdkperf"]["test"], 7);
    EXPECT_EQ(second["intervals"].size(), 1U);
    EXPECT_EQ(second["error"], "idle timeout for receiving data");
    EXPECT_TRUE((out >> std::ws).eof());
}

TEST(TestsAtTheSameTime, AreNamedInEveryEventOfAStream)
{
    Style style;
    style.json = style.json_stream = true;
    std::string order;
    for (const std::string& line : lines_of(printed_two(style).out)) {
        const auto event = nlohmann::json::parse(line);
        order += event["event"].get<std::string>() + ' ' + event["test"].dump() + ' ';
        if (event["event"] == "dpdkperf") {
            EXPECT_EQ(event["data"]["test"], event["test"]);
        }
    }
    EXPECT_EQ(order, "start 7 start 8 interval 7 interval 8 dpdkperf 8 end 8 "
                     "error 7 dpdkperf 7 end 7 ");
}

}  // namespace
}  // namespace dpdkperf::report
