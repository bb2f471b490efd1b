// Where intervals are kept in memory, and what becomes of those that have no room there.

#include "dpdkperf/report/reporter.hpp"
#include "recorded.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace dpdkperf::report {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr int kIntervals = 100;
constexpr std::size_t kRoom = 10'000;  // for some of them

struct Outcome {
    std::string out, err;
    stats::ServerOutput relayed;
};

// A test of a server, which is one of several unless `alone`.
Outcome outcome_of(Style style, bool alone, bool relayed)
{
    std::ostringstream out, err;
    stats::ServerOutput given;
    style.several_tests = !alone;
    style.max_kept_bytes = kRoom;
    {
        Reporter reporter{style, out, err};
        const auto sink = reporter.sink_of(1);
        stats::TestSettings settings;
        settings.server = true;
        settings.relayed = relayed;
        settings.impairment = "loss=1%";
        sink->accepted({});
        sink->started(settings);
        sink->connected({{5, {}, {}}});
        for (int i = 0; i < kIntervals; ++i) {
            sink->interval({false, {{5, false, i * 1s, (i + 1) * 1s, {1000}, 1, -1, 0}}});
        }
        sink->summary({});
        if (relayed) {
            sink->relay([&](stats::ServerOutput text) { given = std::move(text); });
        }
        sink->finished(true);
    }
    return {out.str(), err.str(), given};
}

Style style_with(bool stream, bool full)
{
    Style style;
    style.json = true;
    style.json_stream = stream;
    style.json_stream_full = full;
    return style;
}

// Those in the document, and those that it says are not.
std::pair<int, int> intervals_in(const nlohmann::json& document)
{
    return {static_cast<int>(document["intervals"].size()),
        document["dpdkperf"].value("intervals_left_out", 0)};
}

const std::pair kAllIntervals{kIntervals, 0};

void expect_cut(const nlohmann::json& document, std::size_t bytes)
{
    const auto [there, left_out] = intervals_in(document);
    EXPECT_GT(there, 1);
    EXPECT_GT(left_out, 1);
    EXPECT_EQ(there + left_out, kIntervals);
    EXPECT_GT(bytes, kRoom / 2);
    EXPECT_LT(bytes, kRoom + 4000);
}

nlohmann::json document_in(const std::string& stream)
{
    return nlohmann::json::parse(stream.substr(stream.find("}\n{\n") + 2));
}

TEST(Room, IsLimitedForADocumentBesideOthers)
{
    const std::string cut = outcome_of(style_with(false, false), false, false).out;
    keep_rendered("left-out", cut);
    expect_cut(nlohmann::json::parse(cut), cut.size());
    const std::string whole = outcome_of(style_with(false, false), true, false).out;
    EXPECT_EQ(intervals_in(nlohmann::json::parse(whole)), kAllIntervals);
}

TEST(Room, IsLimitedForWhatAClientWantsToSee)
{
    for (const bool stream : {false, true}) {
        const auto [out, err, relayed] = outcome_of(style_with(stream, false), true, true);
        EXPECT_TRUE(relayed.json);
        expect_cut(nlohmann::json::parse(relayed.text), relayed.text.size());
        if (!stream) {
            EXPECT_EQ(intervals_in(nlohmann::json::parse(out)), kAllIntervals);
        }
    }
}

TEST(Room, IsThereForADocumentThatWasAskedFor)
{
    for (const bool alone : {false, true}) {
        const std::string out = outcome_of(style_with(true, true), alone, false).out;
        EXPECT_EQ(intervals_in(document_in(out)), kAllIntervals);
    }
}

TEST(Room, IsThereInAFile)
{
    const fs::path folder =
        fs::temp_directory_path() / ("dpdkperf-room-" + std::to_string(getpid()));
    for (const auto& style : {style_with(false, false), style_with(true, false), Style{}}) {
        fs::create_directory(folder);
        Style saving = style;
        saving.saving.emplace().folder = folder;
        outcome_of(saving, false, false);
        std::ifstream file{fs::directory_iterator{folder} -> path()};
        EXPECT_EQ(intervals_in(nlohmann::json::parse(file)["result"]), kAllIntervals);
        fs::remove_all(folder);
    }
}

// Whether or not there is a document besides.
TEST(Room, ChangesNothingAboutTheLinesOfAStream)
{
    const auto events = outcome_of(style_with(true, false), true, false);
    EXPECT_EQ(events.err, "warning: packets are impaired on purpose (--impair loss=1%)\n");
    EXPECT_NE(events.out.find("\"lost_packets\":-1,"), std::string::npos) << events.out;
    for (const bool full : {false, true}) {
        const auto more = outcome_of(style_with(true, full), true, true);
        EXPECT_EQ(more.err, events.err);
        EXPECT_EQ(more.out.substr(0, events.out.size()), events.out);
        EXPECT_EQ(more.out.size() > events.out.size(), full);
    }
}

}  // namespace
}  // namespace dpdkperf::report
