#include "dpdkperf/report/reporter.hpp"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;

stats::TestSettings tcp_settings()
{
    stats::TestSettings settings;
    settings.host = "10.0.0.2";
    settings.udp = false;
    settings.interval = 500ms;
    settings.fq_rate = BitRate::from_bps(2'000'000);
    settings.bidirectional = true;
    settings.wall_clock = std::chrono::system_clock::time_point{1'700'000'000'123ms};
    return settings;
}

stats::Transfer half_second(int socket, bool sender, int number)
{
    stats::Transfer transfer{socket, sender, number * 500ms, (number + 1) * 500ms, {1000}, 0, 0, 0};
    if (sender) {
        transfer.tcp = stats::TcpState{.retransmits = number, .reordering = 7};
    }
    return transfer;
}

stats::Summary tcp_summary()
{
    stats::StreamTotal stream;
    stream.socket = 5;
    stream.sender = true;
    stream.sent = stream.received = stats::SideTotal{PayloadBytes{2000}, 1s, 0};
    stream.tcp = stats::TcpTotal{.retransmits = 1, .reordering = 9};
    stats::Summary summary;
    summary.streams = {stream};
    return summary;
}

void play_test(stats::ReportSink& sink)
{
    const Endpoint end{*IpAddress::parse("10.0.0.1"), 5201};
    sink.connecting("10.0.0.2", 5201, false);
    sink.started(tcp_settings());
    sink.connected({{5, end, end}, {7, end, end}});
    for (const int number : {0, 1}) {
        sink.interval({false, {half_second(5, true, number), half_second(7, false, number)}});
    }
    sink.server_output({"{\"a\":\t[\"\\n\"],\n\"a\": 2}", true});
    sink.summary(tcp_summary());
    sink.finished(true);
}

Style style_of_stream(bool full)
{
    Style style;
    style.json = style.json_stream = true;
    style.json_stream_full = full;
    style.version = "dpdkperf 0.1.0";
    return style;
}

template <class Play>
std::string streamed(const Style& style, Play play)
{
    std::ostringstream out, err;
    {
        Reporter reporter{style, out, err};
        play(reporter);
    }
    EXPECT_EQ(err.str(), "");
    return out.str();
}

std::vector<std::pair<std::string, nlohmann::json>> events_of(const std::string& text)
{
    std::vector<std::pair<std::string, nlohmann::json>> events;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const nlohmann::json event = nlohmann::json::parse(line);
        EXPECT_EQ(event.size(), 2U) << line;
        EXPECT_TRUE(line.starts_with("{\"event\":\"")) << line;
        events.emplace_back(event["event"], event["data"]);
    }
    return events;
}

std::vector<std::string> names_of(const std::vector<std::pair<std::string, nlohmann::json>>& events)
{
    std::vector<std::string> names;
    for (const auto& [name, data] : events) {
        names.push_back(name);
    }
    return names;
}

TEST(JsonStream, IsALinePerEventWithThePartsOfTheDocument)
{
    Style plain = style_of_stream(false);
    plain.json_stream = false;
    const std::string document = streamed(plain, play_test);
    const nlohmann::json whole = nlohmann::json::parse(document);
    const auto events = events_of(streamed(style_of_stream(false), play_test));
    EXPECT_EQ(names_of(events), (std::vector<std::string>{"start", "interval", "interval",
                                    "server_output_json", "dpdkperf", "end"}));
    EXPECT_EQ(events[0].second, whole["start"]);
    EXPECT_EQ(events[1].second, whole["intervals"][0]);
    EXPECT_EQ(events[2].second, whole["intervals"][1]);
    EXPECT_EQ(events[3].second, whole["server_output_json"]);
    EXPECT_EQ(events[4].second, whole["dpdkperf"]);
    EXPECT_EQ(events[5].second, whole["end"]);

    const std::string full = streamed(style_of_stream(true), play_test);
    EXPECT_TRUE(full.ends_with("}\n" + document)) << full;
    EXPECT_EQ(events_of(full.substr(0, full.size() - document.size())), events);
}

TEST(JsonStream, TellsAnErrorBeforeTheEnd)
{
    const auto events = events_of(streamed(style_of_stream(false), [](stats::ReportSink& sink) {
        for (const char* error : {"the server has terminated", "another"}) {
            sink.connecting("10.0.0.2", 5201, false);
            sink.failed(error);
            sink.finished(false);
        }
    }));
    EXPECT_EQ(names_of(events),
        (std::vector<std::string>{"error", "dpdkperf", "end", "error", "dpdkperf", "end"}));
    EXPECT_EQ(events[0].second, "the server has terminated");
    EXPECT_EQ(events[2].second, nlohmann::json::object());
}

TEST(JsonStream, IsSeenAtOnce)
{
    std::ostringstream out, err;
    Reporter reporter{style_of_stream(false), out, err};
    reporter.connecting("10.0.0.2", 5201, false);
    reporter.started(tcp_settings());
    reporter.connected({});
    reporter.flush();
    EXPECT_TRUE(out.str().ends_with("}\n"));
    reporter.interval({false, {half_second(5, true, 0)}});
    reporter.flush();
    EXPECT_EQ(names_of(events_of(out.str())), (std::vector<std::string>{"start", "interval"}));
}

TEST(Json, HasTheKeysOfNewerReleases)
{
    Style style = style_of_stream(false);
    style.json_stream = false;
    const nlohmann::json root = nlohmann::json::parse(streamed(style, play_test));
    const nlohmann::json& start = root["start"];
    EXPECT_EQ(start["timestamp"]["timemillisecs"], 1'700'000'000'123);
    EXPECT_EQ(start["timestamp"]["timesecs"], 1'700'000'000);
    EXPECT_EQ(start["fq_rate"], 2'000'000);
    const nlohmann::json& test = start["test_start"];
    EXPECT_EQ(test["bidir"], 1);
    EXPECT_EQ(test["fqrate"], 2'000'000);
    EXPECT_EQ(test["interval"], 0.5);
    EXPECT_EQ(test["gso"], 0);
    EXPECT_EQ(test["gro"], 0);
    EXPECT_EQ(root["intervals"][0]["streams"][0]["reorder"], 7);
    EXPECT_EQ(root["end"]["streams"][0]["sender"]["reorder"], 9);
}

}  // namespace
}  // namespace dpdkperf::report
