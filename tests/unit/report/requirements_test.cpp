#include "dpdkperf/report/reporter.hpp"
#include "requirements.hpp"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;
using stats::Comparison;
using stats::Measure;

stats::TestSettings udp_settings()
{
    stats::TestSettings settings;
    settings.block_bytes = 1000;
    settings.streams = 2;
    return settings;
}

// Of each of two streams 1000 datagrams of 1000 bytes have left in 2 s, and `arrived` have arrived
// in as much time.
stats::Summary udp_summary(std::uint64_t arrived)
{
    stats::Summary summary;
    for (const int socket : {5, 7}) {
        stats::StreamTotal stream;
        stream.socket = socket;
        stream.sender = true;
        stream.sent = stats::SideTotal{PayloadBytes{1'000'000}, 2s, 1000};
        stream.received = stats::SideTotal{PayloadBytes{arrived * 1000}, 2s, 1000};
        stream.jitter_s = socket == 5 ? 0.001 : 0.002;
        summary.streams.push_back(stream);
    }
    return summary;
}

stats::Summary tcp_summary(std::int64_t retransmits)
{
    stats::Summary summary = udp_summary(1000);
    for (stats::StreamTotal& stream : summary.streams) {
        stream.tcp = stats::TcpTotal{.retransmits = retransmits};
    }
    return summary;
}

std::optional<double> got(
    Measure measure, const stats::TestSettings& settings, const stats::Summary& summary)
{
    const stats::Requirement requirement{measure, Comparison::kAtLeast, 0};
    return judge({&requirement, 1}, settings, summary).at(0).got;
}

TEST(Requirements, AreComparedWithFiguresOfAllStreams)
{
    const stats::TestSettings settings = udp_settings();
    const stats::Summary summary = udp_summary(900);
    EXPECT_DOUBLE_EQ(got(Measure::kSent, settings, summary).value(), 8e6);
    EXPECT_DOUBLE_EQ(got(Measure::kReceived, settings, summary).value(), 7.2e6);
    EXPECT_DOUBLE_EQ(got(Measure::kPacketRate, settings, summary).value(), 900);
    EXPECT_DOUBLE_EQ(got(Measure::kLoss, settings, summary).value(), 10);
    EXPECT_DOUBLE_EQ(got(Measure::kJitter, settings, summary).value(), 1.5);
    stats::TestSettings tcp = settings;
    tcp.udp = false;
    EXPECT_DOUBLE_EQ(got(Measure::kRetransmits, tcp, tcp_summary(3)).value(), 6);
}

TEST(Requirements, EachOperatorMeansWhatItSays)
{
    struct Case {
        Comparison comparison;
        bool below, equal, above;  // met by such a rate
    };
    const Case cases[] = {
        {Comparison::kAtLeast, false, true, true},
        {Comparison::kAtMost, true, true, false},
        {Comparison::kMore, false, false, true},
        {Comparison::kLess, true, false, false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(stats::sign_of(c.comparison));
        const auto met = [&](double wanted) {
            const stats::Requirement requirement{Measure::kSent, c.comparison, wanted};
            return judge({&requirement, 1}, udp_settings(), udp_summary(1)).at(0).met;
        };
        EXPECT_EQ(met(8e6 + 1), c.below);
        EXPECT_EQ(met(8e6), c.equal);
        EXPECT_EQ(met(8e6 - 1), c.above);
    }
}

// iperf3's own count knows of no loss after the last datagram that arrived.
TEST(Requirements, LossIsAllThatDidNotArrive)
{
    EXPECT_DOUBLE_EQ(got(Measure::kLoss, udp_settings(), udp_summary(0)).value(), 100);
    // Some of the omitted part came after it.
    EXPECT_DOUBLE_EQ(got(Measure::kLoss, udp_settings(), udp_summary(1001)).value(), 0);
    stats::Summary nothing = udp_summary(0);
    for (stats::StreamTotal& stream : nothing.streams) {
        stream.sent->packets = 0;
    }
    EXPECT_FALSE(got(Measure::kLoss, udp_settings(), nothing));
}

TEST(Requirements, ThatNobodyKnowsAreNotMet)
{
    stats::Summary summary = udp_summary(1000);
    summary.streams[1].received.reset();
    for (const Measure measure :
        {Measure::kReceived, Measure::kPacketRate, Measure::kLoss, Measure::kJitter}) {
        SCOPED_TRACE(stats::name_of(measure).name);
        const stats::Requirement requirement{measure, Comparison::kAtLeast, 0};
        const auto verdict = judge({&requirement, 1}, udp_settings(), summary).at(0);
        EXPECT_FALSE(verdict.got);
        EXPECT_FALSE(verdict.met);
        EXPECT_EQ(verdict.unknown, "the other side has not told it");
    }
    EXPECT_TRUE(got(Measure::kSent, udp_settings(), summary));
    stats::TestSettings tcp = udp_settings();
    tcp.udp = false;
    EXPECT_FALSE(got(Measure::kRetransmits, tcp, summary));
    EXPECT_FALSE(got(Measure::kSent, udp_settings(), {}));
}

TEST(Requirements, StandForBothDirectionsOfABidirectionalTest)
{
    stats::TestSettings settings = udp_settings();
    settings.bidirectional = true;
    settings.streams = 1;
    stats::Summary summary = udp_summary(1000);
    summary.streams[1].sender = false;
    summary.streams[1].received->bytes = {500'000};
    const stats::Requirement requirement{Measure::kReceived, Comparison::kAtLeast, 4e6};
    const auto verdicts = judge({&requirement, 1}, settings, summary);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_TRUE(verdicts[0].sender && verdicts[0].met);
    EXPECT_FALSE(verdicts[1].sender || verdicts[1].met);
    EXPECT_EQ(unmet_lines("p", settings, verdicts),
        "p: require: [RX-C] rx 2 Mbits/sec is not >= 4 Mbits/sec\n");
}

TEST(Requirements, LinesSayWhatFallsShort)
{
    struct Case {
        stats::Requirement requirement;
        std::optional<double> got;
        std::string_view line;
    };
    const Case cases[] = {
        {{Measure::kReceived, Comparison::kAtLeast, 9e10}, 3.2e9,
            "rx 3.2 Gbits/sec is not >= 90 Gbits/sec"},
        {{Measure::kSent, Comparison::kLess, 1e12}, 1.5e12,
            "tx 1.5 Tbits/sec is not < 1 Tbits/sec"},
        {{Measure::kReceived, Comparison::kMore, 1000}, 12, "rx 12 bits/sec is not > 1 Kbits/sec"},
        // As many digits as make a difference.
        {{Measure::kReceived, Comparison::kAtLeast, 9e10}, 89'999'900'000,
            "rx 89.9999 Gbits/sec is not >= 90 Gbits/sec"},
        {{Measure::kSent, Comparison::kMore, 5e9}, 5e9, "tx 5 Gbits/sec is not > 5 Gbits/sec"},
        {{Measure::kPacketRate, Comparison::kAtLeast, 1.5e6}, 950,
            "pps 950 packets/sec is not >= 1.5 Mpackets/sec"},
        {{Measure::kLoss, Comparison::kAtMost, 0.01}, 12.5, "loss 12.5% is not <= 0.01%"},
        {{Measure::kRetransmits, Comparison::kAtMost, 10}, 1'234'567, "retr 1234567 is not <= 10"},
        {{Measure::kJitter, Comparison::kAtMost, 0.5}, 1.25, "jitter 1.25 ms is not <= 0.5 ms"},
        {{Measure::kRetransmits, Comparison::kAtMost, 10}, {}, "retr is not known: nobody told"},
    };
    for (const Case& c : cases) {
        const stats::Verdict verdict{c.requirement, true, c.got, c.got ? "" : "nobody told", false};
        EXPECT_EQ(unmet_lines("dpdkperf", udp_settings(), {&verdict, 1}),
            "dpdkperf: require: " + std::string{c.line} + '\n');
    }
    const stats::Verdict good{{}, true, 1, {}, true};
    EXPECT_EQ(unmet_lines("dpdkperf", udp_settings(), {&good, 1}), "");
}

TEST(Requirements, AreReportedWithTheResults)
{
    const auto run = [](Style style, auto&& play) {
        style.requirements = {{Measure::kReceived, Comparison::kAtLeast, 8e6},
            {Measure::kRetransmits, Comparison::kAtMost, 10}};
        std::ostringstream out, err;
        bool before = true, after = true;
        {
            Reporter reporter{style, out, err};
            before = reporter.requirements_met();
            play(reporter);
            after = reporter.requirements_met();
        }
        EXPECT_FALSE(before);
        return std::tuple{out.str(), err.str(), after};
    };
    const auto good = [](stats::ReportSink& sink) {
        stats::TestSettings tcp = udp_settings();
        tcp.udp = false;
        sink.started(tcp);
        sink.summary(tcp_summary(5));
        sink.finished(true);
    };
    const auto bad = [](stats::ReportSink& sink) {
        stats::TestSettings tcp = udp_settings();
        tcp.udp = false;
        tcp.reverse = true;
        stats::Summary summary = udp_summary(900);
        for (stats::StreamTotal& stream : summary.streams) {
            stream.sender = false;
        }
        sink.started(tcp);
        sink.summary(summary);
        sink.finished(true);
    };
    Style json, stream;
    json.json = true;
    stream.json_stream = true;
    for (const Style& style : {Style{}, json, stream}) {
        const auto [out, err, met] = run(style, good);
        EXPECT_EQ(err, "");
        EXPECT_TRUE(met);
        const auto [bad_out, bad_err, bad_met] = run(style, bad);
        EXPECT_EQ(bad_err,
            "dpdkperf: require: rx 7.2 Mbits/sec is not >= 8 Mbits/sec\n"
            "dpdkperf: require: retr is not known: the other side has not told it\n");
        EXPECT_FALSE(bad_met);
    }
    const auto document = nlohmann::json::parse(std::get<0>(run(json, bad)));
    EXPECT_EQ(document["dpdkperf"]["required"], nlohmann::json::parse(R"([
        {"name": "rx", "operator": ">=", "wanted": 8000000, "got": 7200000, "met": false,
         "sender": false},
        {"name": "retr", "operator": "<=", "wanted": 10,
         "unknown": "the other side has not told it", "met": false, "sender": false}])"));
    EXPECT_TRUE(std::get<2>(run({}, good)));
}

TEST(Requirements, AreMetIfThereAreNone)
{
    std::ostringstream out, err;
    const Reporter reporter{{}, out, err};
    EXPECT_TRUE(reporter.requirements_met());
}

}  // namespace
}  // namespace dpdkperf::report
