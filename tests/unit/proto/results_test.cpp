#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/results.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::proto {
namespace {

using nlohmann::json;

constexpr std::string_view kHead =
    R"({"cpu_util_total":1,"cpu_util_user":0.5,"cpu_util_system":0.5,"sender_has_retransmits":0,)";

std::string with_streams(std::string_view streams)
{
    return std::string{kHead} + R"("streams":)" + std::string{streams} + "}";
}

TEST(Results, OfIperf312AreReadWithMinusOneAsItPrintsIt)
{
    // Captured from a 3.12 server; its -1 is 2^64 - 1.
    const auto result = parse_results(
        R"({"cpu_util_total":0.0288928345770249,"cpu_util_user":0,)"
        R"("cpu_util_system":0.028992809783173774,"sender_has_retransmits":18446744073709551615,)"
        R"("congestion_used":"bbr","streams":[{"id":1,"bytes":5120,)"
        R"("retransmits":18446744073709551615,"jitter":0,"errors":0,"packets":0,"start_time":0,)"
        R"("end_time":1.000247},{"id":3,"bytes":5120,"retransmits":-1,"jitter":1.5e-5,)"
        R"("errors":2,"packets":9,"start_time":0,"end_time":1.000247}]})",
        2);
    const auto& r = std::get<Results>(result);
    EXPECT_EQ(r.sender_has_retransmits, -1);
    EXPECT_EQ(r.congestion_used, "bbr");
    ASSERT_EQ(r.streams.size(), 2U);
    EXPECT_EQ(r.streams[0].retransmits, -1);
    EXPECT_EQ(r.streams[0].bytes, 5120);
    EXPECT_FALSE(r.streams[0].omitted_errors);
    EXPECT_DOUBLE_EQ(*r.streams[0].end_time_s, 1.000247);
    EXPECT_EQ(r.streams[1].id, 3);
    EXPECT_DOUBLE_EQ(r.streams[1].jitter_s, 1.5e-5);
    EXPECT_EQ(r.streams[1].errors, 2);
}

TEST(Results, OfIperf321AndOfTheOldestAreRead)
{
    // 3.21: omitted counters. 3.0: no times.
    const auto result = parse_results(
        with_streams(
            R"([{"id":1,"bytes":131072,"retransmits":-1,"jitter":0,"errors":7,"omitted_errors":3,)"
            R"("packets":4,"omitted_packets":2,"start_time":0,"end_time":1.001146},)"
            R"({"id":4,"bytes":1,"retransmits":-1,"jitter":0.000012,"errors":0,"packets":1}])"),
        3);
    const auto& r = std::get<Results>(result);
    EXPECT_EQ(r.streams[0].omitted_errors, 3);
    EXPECT_EQ(r.streams[0].omitted_packets, 2);
    EXPECT_FALSE(r.streams[1].end_time_s);
}

TEST(Results, ThatCannotBeUsedAreRefused)
{
    struct Case {
        std::string document;
        IperfError number;
        std::string_view detail;
    };
    const Case cases[] = {
        {"[]", IperfError::kReceiveResults, "not a JSON object"},
        {std::string(100'000, '['), IperfError::kReceiveResults, "not a JSON object"},
        {R"({"cpu_util_total":1})", IperfError::kReceiveResults,
            R"("cpu_util_user" is missing or not a number)"},
        {std::string{kHead} + R"("x":1})", IperfError::kReceiveResults,
            R"("streams" is missing or not an array)"},
        {with_streams("{}"), IperfError::kReceiveResults,
            R"("streams" is missing or not an array)"},
        {with_streams("[5]"), IperfError::kReceiveResults, "a stream is not an object"},
        {with_streams(R"([{"id":1}])"), IperfError::kReceiveResults,
            R"(stream: "bytes" is missing or not a number)"},
        {with_streams(
             R"([{"id":"1","bytes":0,"retransmits":0,"jitter":0,"errors":0,"packets":0}])"),
            IperfError::kReceiveResults, R"(stream: "id" is missing or not a number)"},
        {with_streams(R"([{"id":1,"bytes":0,"retransmits":0,"jitter":0,"errors":0,"packets":0,)"
                      R"("omitted_errors":0}])"),
            IperfError::kReceiveResults,
            "stream: omitted_errors and omitted_packets come only together"},
        {with_streams(R"([{"id":2,"bytes":0,"retransmits":0,"jitter":0,"errors":0,"packets":0}])"),
            IperfError::kStreamId, "2"},
        {with_streams(R"([{"id":4,"bytes":0,"retransmits":0,"jitter":0,"errors":0,"packets":0}])"),
            IperfError::kStreamId, "4"},
        {with_streams(
             R"([{"id":4294967297,"bytes":0,"retransmits":0,"jitter":0,"errors":0,"packets":0}])"),
            IperfError::kStreamId, "4294967297"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.detail);
        const auto result = parse_results(c.document, 2);
        const auto* failure = std::get_if<Failure>(&result);
        ASSERT_NE(failure, nullptr);
        EXPECT_EQ(failure->number, c.number);
        EXPECT_EQ(failure->detail, c.detail);
    }
}

TEST(Results, HugeCountersCannotOverflowADifference)
{
    const auto result = parse_results(
        with_streams(R"([{"id":1,"bytes":9223372036854775807,"retransmits":-9223372036854775808,)"
                     R"("jitter":0,"errors":1e300,"packets":-1e300}])"),
        1);
    const StreamResult& s = std::get<Results>(result).streams[0];
    EXPECT_EQ(s.bytes, -1);
    EXPECT_EQ(s.retransmits, -1);
    EXPECT_EQ(s.errors, -1);
    EXPECT_EQ(s.packets, -1);
}

TEST(Results, AStreamMayBeMissing)
{
    const auto result = parse_results(with_streams("[]"), 2);
    EXPECT_TRUE(std::get<Results>(result).streams.empty());
}

TEST(Results, RelayedOutputComesThrough)
{
    const auto result =
        parse_results(std::string{kHead} + R"("streams":[],"server_output_text":"a\nb"})", 1);
    EXPECT_EQ(std::get<Results>(result).server_output_text, "a\nb");
}

TEST(Results, SurviveTheWayThereAndBack)
{
    Results r;
    r.cpu_total = 101.25;
    r.sender_has_retransmits = -1;
    StreamResult s;
    s.id = 3;
    s.bytes = std::int64_t{1} << 60;
    s.jitter_s = 0.1 + 0.2;
    s.errors = -4;
    s.omitted_errors = 1;
    s.packets = 5'000'000'000;
    s.omitted_packets = 2;
    s.start_time_s = 0;
    s.end_time_s = 10.000347;
    r.streams.push_back(s);
    const std::string document = *to_document(r, kMaxClientResultsBytes);
    EXPECT_EQ(std::get<Results>(parse_results(document, 2)), r);
    // No exponent: 3.2 to 3.11 themselves print such, but nobody need read them.
    EXPECT_NE(document.find(R"("bytes":1152921504606846976,)"), std::string::npos);
}

TEST(Results, RelayedOutputSurvivesTheWayThereAndBack)
{
    Results r;
    r.server_output_text = "[  5]   0.00-1.00   sec\n\"\\é";
    EXPECT_EQ(std::get<Results>(parse_results(*to_document(r, kMaxServerResultsBytes), 1)), r);
    r.server_output_text.clear();
    // With a key that comes twice, as up to 3.13, and a number that a double does not hold.
    r.server_output_json =
        R"({"a":1,"a":[2,{"b":"},\\\"x"}],"server_output_json":{},"n":18446744073709551615})";
    EXPECT_EQ(std::get<Results>(parse_results(*to_document(r, kMaxServerResultsBytes), 1)), r);
}

TEST(Results, AreNotSentIfLongerThanAPeerTakes)
{
    Results r;
    r.server_output_text = std::string(1000, 'x');
    const std::string document = *to_document(r, kMaxServerResultsBytes);
    EXPECT_TRUE(to_document(r, document.size()));
    const auto refused = to_document(r, document.size() - 1);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(std::to_string(document.size()) + " bytes"),
        std::string::npos);
}

TEST(StreamId, LeavesOutTwo)
{
    EXPECT_EQ(stream_id(0), 1);
    EXPECT_EQ(stream_id(1), 3);
    EXPECT_EQ(stream_id(2), 4);
}

}  // namespace
}  // namespace dpdkperf::proto
