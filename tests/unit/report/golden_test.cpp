// The numbers of recorded runs of iperf3 3.12, rendered by us, against what it printed itself.

#include "cjson.hpp"
#include "dpdkperf/report/reporter.hpp"
#include "recorded.hpp"

#include <algorithm>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace dpdkperf::report {
namespace {

// Puts "0" for every number that follows `before` and has at least `digits` digits.
std::string zeroed(const std::string& text, std::string_view before, std::size_t digits)
{
    std::string result;
    std::size_t from = 0;
    for (std::size_t at = text.find(before); at != std::string::npos;
         at = text.find(before, from)) {
        at += before.size();
        const std::size_t end = text.find_first_not_of("0123456789", at);
        result +=
            text.substr(from, at - from) + (end - at < digits ? text.substr(at, end - at) : "0");
        from = end;
    }
    return result + text.substr(from);
}

// What we print otherwise on purpose.
std::string as_we_mean_it(std::string text)
{
    // Our data does not pass through kernel sockets.
    text = zeroed(text, "sndbuf_actual\":\t", 1);
    text = zeroed(text, "rcvbuf_actual\":\t", 1);
    // A server subtracts the packets of the omitted part from those that the client has sent,
    // which it does not know: 0 - 250, printed as unsigned.
    return zeroed(text, "packets\":\t", 20);
}

// Our last object, "dpdkperf", is not iperf3's.
std::string without_extras(const std::string& text)
{
    const auto at = text.find(",\n\t\"dpdkperf\":\t{");
    return at == std::string::npos ? text : text.substr(0, at) + "\n}\n";
}

// Nor are the keys of newer releases 3.12's.
std::string without_newer_keys(const std::string& json)
{
    static const std::regex newer{
        R"re(,\n\t+"(timemillisecs|fq_rate|bidir|fqrate|interval|gso|gro|reorder)":\t[\d.]+)re"};
    return std::regex_replace(json, newer, "");
}

class Golden : public testing::TestWithParam<Recorded> {};

TEST_P(Golden, IsReproducedFromItsNumbers)
{
    const Recorded& run = GetParam();
    std::ostringstream out, err;
    stats::ServerOutput relayed;
    {
        Reporter reporter{run.style, out, err};
        run.play(reporter, [&](stats::ServerOutput given) { relayed = std::move(given); });
    }
    if (run.style.json) {
        keep_rendered(run.name, out.str());
    }
    std::string ours = run.style.json ? without_newer_keys(without_extras(out.str())) : out.str();
    if (ours.find("server_output_json") != std::string::npos) {
        ours = as_we_mean_it(ours);  // iperf3's words are in it
    }
    EXPECT_EQ(ours, as_we_mean_it(run.out));
    EXPECT_EQ(err.str(), run.err);
    EXPECT_EQ(relayed.json, run.style.json && !run.relayed.empty());
    EXPECT_EQ(relayed.json ? without_newer_keys(without_extras(indented(relayed.text) + '\n'))
                           : relayed.text,
        as_we_mean_it(relayed.json ? indented(run.relayed) + '\n' : run.relayed));
}

class GoldenJson : public testing::TestWithParam<Recorded> {};

TEST_P(GoldenJson, HasTheSameIntervalsInAStream)
{
    const Recorded& run = GetParam();
    Style style = run.style;
    style.json_stream = true;
    style.requirements = {{stats::Measure::kSent, stats::Comparison::kAtLeast, 1e12},
        {stats::Measure::kRetransmits, stats::Comparison::kAtMost, 10}};
    std::ostringstream out, err;
    {
        Reporter reporter{style, out, err};
        run.play(reporter, [](const stats::ServerOutput&) {});
    }
    keep_rendered(run.name + "-stream", out.str());
    Json intervals = Json::array();
    std::istringstream lines{out.str()};
    for (std::string line; std::getline(lines, line);) {
        const Json event = Json::parse(line);
        if (event["event"] == "interval") {
            intervals.push_back(event["data"]);
        }
    }
    EXPECT_EQ(without_newer_keys(indented(intervals.dump())),
        indented(Json::parse(run.out)["intervals"].dump()));
}

std::vector<Recorded> recorded_documents()
{
    std::vector<Recorded> runs = recorded_runs();
    std::erase_if(runs, [](const Recorded& run) { return !run.style.json; });
    return runs;
}

std::string test_name(const testing::TestParamInfo<Recorded>& run)
{
    std::string name = run.param.name;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '-' || c == '/'; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Iperf3, Golden, testing::ValuesIn(recorded_runs()), test_name);
INSTANTIATE_TEST_SUITE_P(Iperf3, GoldenJson, testing::ValuesIn(recorded_documents()), test_name);

TEST(GoldenFiles, Exist)
{
    EXPECT_GT(recorded_runs().size(), 130U);
}

}  // namespace
}  // namespace dpdkperf::report
