#include "dpdkperf/report/reporter.hpp"
#include "dpdkperf/report/saving.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace dpdkperf::report {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Save : public testing::Test {
protected:
    Save()
    {
        fs::remove_all(folder_);
        fs::create_directory(folder_);
        style_.version = "dpdkperf 0.1.0";
        style_.system_info = "Linux host 6.1";
        // 2026-11-26 03:15:00 UTC
        style_.now = [] { return std::chrono::system_clock::time_point{1'795'662'900s}; };
        style_.saving = Saving{.folder = folder_,
            .arguments = {"-c", "10.0.0.2", "-u"},
            .dpdk_version = "DPDK 22.11.4",
            .host = "host",
            .cpu = "a \"CPU\"",
            .cpus = 4};
    }
    ~Save() override
    {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    // What is printed; `lost_` says whether a file was lost.
    template <class Play>
    std::pair<std::string, std::string> run(Play play)
    {
        std::ostringstream out, err;
        Reporter reporter{style_, out, err};
        play(reporter);
        reporter.flush();
        lost_ = reporter.lost_a_file();
        return {out.str(), err.str()};
    }

    [[nodiscard]] std::set<std::string> files() const
    {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator{folder_}) {
            names.insert(entry.path().filename());
        }
        return names;
    }

    [[nodiscard]] nlohmann::json read(const std::string& name) const
    {
        std::ifstream file{folder_ + '/' + name};
        return nlohmann::json::parse(file);
    }

    static void play_client(stats::ReportSink& sink)
    {
        sink.connecting("10.0.0.2", 5201, false);
        stats::TestSettings settings;
        settings.host = "10.0.0.2";
        settings.port_plan = "port       eth0\npollers: 1, on CPU 3\n";
        sink.started(settings);
        sink.connected({{5, {}, {}}});
        sink.interval({false, {{5, true, 0ns, 1s, PayloadBytes{1000}, 1, 0, 0}}});
        sink.server_output({R"({"start":{"version":"iperf 3.12"},"end":{}})", true});
        sink.summary({});
        sink.finished(true);
    }

    const std::string folder_ =
        fs::temp_directory_path() / ("dpdkperf-save-" + std::to_string(getpid()));
    Style style_;
    bool lost_ = false;
};

TEST_F(Save, KeepsWhatWasRunAndItsDocument)
{
    style_.json = true;
    const auto [out, err] = run(play_client);
    EXPECT_FALSE(lost_);
    EXPECT_EQ(err, "");
    ASSERT_EQ(files(), (std::set<std::string>{"2026-11-26T031500Z-client.json"}));
    auto saved = read("2026-11-26T031500Z-client.json");
    EXPECT_EQ(saved["result"], nlohmann::json::parse(out));
    EXPECT_EQ(saved["result"]["intervals"].size(), 1U);
    saved.erase("result");
    EXPECT_EQ(saved, nlohmann::json::parse(R"({
        "format": 1, "role": "client", "time": "2026-11-26T03:15:00Z",
        "arguments": ["-c", "10.0.0.2", "-u"],
        "versions": {"dpdkperf": "dpdkperf 0.1.0", "dpdk": "DPDK 22.11.4",
                     "system": "Linux host 6.1"},
        "host": {"name": "host", "cpu": "a \"CPU\"", "cpus": 4},
        "peer_version": "iperf 3.12",
        "port_plan": ["port       eth0", "pollers: 1, on CPU 3"]})"));
}

TEST_F(Save, ChangesNothingAboutWhatIsPrinted)
{
    for (const bool json : {false, true}) {
        style_.json = json;
        const auto saving = run(play_client);
        const auto kept = std::exchange(style_.saving, std::nullopt);
        EXPECT_EQ(run(play_client), saving);
        style_.saving = kept;
    }
}

TEST_F(Save, OverwritesNothing)
{
    run(play_client);
    std::ofstream{folder_ + "/2026-11-26T031500Z-client-2.json.part"} << "somebody is writing";
    run(play_client);
    EXPECT_EQ(
        files(), (std::set<std::string>{"2026-11-26T031500Z-client.json",
                     "2026-11-26T031500Z-client-2.json.part", "2026-11-26T031500Z-client-3.json"}));
}

TEST_F(Save, KeepsATestThatFailedEvenBeforeIt)
{
    run([](stats::ReportSink& sink) {
        sink.connecting("10.0.0.2", 5201, false);
        sink.failed("unable to connect to server: Connection refused");
        sink.finished(false);
    });
    const auto saved = read("2026-11-26T031500Z-client.json");
    EXPECT_EQ(saved["result"]["error"], "unable to connect to server: Connection refused");
    EXPECT_FALSE(saved.contains("port_plan") || saved.contains("peer_version"));
}

// Who only knocks leaves nothing on the disk.
TEST_F(Save, KeepsEachTestOfAServer)
{
    run([](stats::ReportSink& sink) {
        stats::TestSettings settings;
        settings.server = true;
        settings.relayed = true;
        settings.peer_version = "3.12";
        for (const bool served : {true, false, true}) {
            sink.listening(5201, 1);
            sink.accepted({*IpAddress::parse("10.0.0.1"), 4000});
            if (served) {
                sink.started(settings);
                sink.connected({{5, {}, {}}});
                sink.summary({});
                sink.relay([](const stats::ServerOutput&) {});
            }
            sink.finished(served);
        }
    });
    ASSERT_EQ(files(), (std::set<std::string>{
                           "2026-11-26T031500Z-server.json", "2026-11-26T031500Z-server-2.json"}));
    EXPECT_EQ(read("2026-11-26T031500Z-server.json")["peer_version"], "3.12");
    EXPECT_EQ(read("2026-11-26T031500Z-server-2.json")["role"], "server");
}

TEST_F(Save, HasNoFileOfATestThatIsNotOver)
{
    run([](stats::ReportSink& sink) { sink.connecting("10.0.0.2", 5201, false); });
    EXPECT_TRUE(files().empty());
}

TEST_F(Save, SaysThatAFileIsLost)
{
    fs::remove_all(folder_);
    const auto [out, err] = run(play_client);
    EXPECT_TRUE(lost_);
    EXPECT_EQ(err, "dpdkperf: error - --save: unable to write '" + folder_ +
                       "/2026-11-26T031500Z-client.json': No such file or directory\n");
}

TEST_F(Save, FindsOutBeforehandWhetherAFolderTakesFiles)
{
    EXPECT_TRUE(check_folder(folder_));
    EXPECT_TRUE(files().empty());
    const Status missing = check_folder(folder_ + "/missing");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("No such file or directory"), std::string::npos);
    std::ofstream{folder_ + "/file"};
    const Status file = check_folder(folder_ + "/file");
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message.find("Not a directory"), std::string::npos);
}

}  // namespace
}  // namespace dpdkperf::report
