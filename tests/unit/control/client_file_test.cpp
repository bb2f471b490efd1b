// Our client with -F against a server that a script plays.

#include "client_and_script.hpp"
#include "temporary_directory.hpp"

#include <fstream>
#include <iterator>
#include <span>
#include <vector>

namespace dpdkperf::test {
namespace {

class ClientWithAFile : public ClientAndScript {
protected:
    ClientWithAFile()
    {
        plan_.protocol = options::Protocol::kTcp;
        plan_.blocks = 0;
        plan_.file = (folder_.path() / "f").string();
        plan_.ends_with_file = true;
        std::ofstream{*plan_.file} << std::string(950, 'x');
    }

    // A test to its end. Returns the exit code.
    int run_through()
    {
        return run([this](const ScriptedPeer& peer) {
            parameters_ = up_to_running(peer);
            up_to_the_end(peer);
        });
    }

    void arrives(std::string_view text)
    {
        StreamStore& store = *traffic_.sessions.at(0).streams.at(0).store;
        store.put(store.published(), std::as_bytes(std::span{text}));
        store.publish(store.published() + text.size());
    }

    [[nodiscard]] std::string content() const
    {
        std::ifstream file{*plan_.file};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

    host::TemporaryDirectory folder_;
    std::string parameters_;
};

TEST_F(ClientWithAFile, SendsIt)
{
    EXPECT_EQ(run_through(), 0);
    EXPECT_NE(parameters_.find(R"("num":950)"), std::string::npos) << parameters_;
    EXPECT_NE(parameters_.find(R"("time":0)"), std::string::npos) << parameters_;
    const auto& spec = traffic_.sessions.at(0);
    EXPECT_EQ(spec.tcp->file.size(), 950U);
    EXPECT_EQ(spec.streams.at(0).max_datagrams, 10U);  // the last one is short
    EXPECT_EQ(spec.streams.at(0).store, nullptr);
    const auto& file = sink_.summaries.at(0).streams.at(0).file;
    EXPECT_EQ(file->name, *plan_.file);
    EXPECT_EQ(file->bytes, 950U);
}

TEST_F(ClientWithAFile, KeepsWhatItReceives)
{
    plan_.reverse = true;
    at_call("connected", [this] {
        EXPECT_EQ(content(), "") << "what was there before";
        arrives("from the server");
    });
    EXPECT_EQ(run_through(), 0);
    EXPECT_NE(parameters_.find(R"("num":950)"), std::string::npos) << parameters_;
    EXPECT_TRUE(traffic_.sessions.at(0).tcp->file.empty());
    EXPECT_EQ(content(), "from the server");
    EXPECT_EQ(sink_.summaries.at(0).streams.at(0).file->bytes, 15U);
}

TEST_F(ClientWithAFile, HasTheUsualEndWhereThereIsNone)
{
    plan_.reverse = true;
    plan_.file = (folder_.path() / "new").string();
    plan_.duration = 1s;  // what validate() would set
    EXPECT_EQ(run_through(), 0);
    EXPECT_NE(parameters_.find(R"("num":0)"), std::string::npos) << parameters_;
    EXPECT_NE(parameters_.find(R"("time":1)"), std::string::npos) << parameters_;
}

TEST_F(ClientWithAFile, SaysThatItCannotBeWritten)
{
    plan_.reverse = true;
    plan_.file = "/dev/full";
    plan_.duration = 1s;
    at_call("connected", [this] { arrives("too much"); });
    EXPECT_EQ(run_through(), 1);
    EXPECT_EQ(sink_.failures,
        std::vector<std::string>{
            "unable to read from stream socket: No space left on device: writing /dev/full"});
}

TEST_F(ClientWithAFile, SaysThatItCannotBeReadBeforeConnecting)
{
    plan_.file = "/nonexistent";
    EXPECT_EQ(run_alone(), 1);
    EXPECT_EQ(
        sink_.failures, std::vector<std::string>{
                            "unable to open -F file: /nonexistent: No such file or directory"});
}

}  // namespace
}  // namespace dpdkperf::test
