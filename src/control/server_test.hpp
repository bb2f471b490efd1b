#pragma once

#include "dpdkperf/auth/gate.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/stats/reports.hpp"
#include "link.hpp"
#include "set_up_turns.hpp"
#include "test_run.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace dpdkperf::control {

// One test from the server's side, from the client's cookie to its goodbye. Owns the connection.
class ServerTest {
public:
    struct Surroundings {
        asio::io_context& loop;
        const options::Plan& plan;
        DataPaths& paths;
        PathWatch& watch;
        stats::ReportSink& sink;
        const auth::Gate* gate;  // null: everybody is served
        SetUpTurns& turns;       // of all tests
    };

    // `number`: of the test, from 1. `over` is called once, when the next test may begin; the
    // object may be destroyed in it.
    ServerTest(const Surroundings& around, std::shared_ptr<Link> link, std::uint64_t number,
        std::function<void()> over);
    ServerTest(const ServerTest&) = delete;
    ServerTest& operator=(const ServerTest&) = delete;
    ~ServerTest();

    void begin(const proto::Cookie& cookie);

    // The conversation's actions from begin() on.
    void on_action(const proto::Action& action);

    void interrupt(int signal);

    // Everything is reported; what is late on the wire is being swallowed before `over`.
    [[nodiscard]] bool ended() const { return ended_; }

    // There was no test: the client was not who it should be.
    [[nodiscard]] bool refused() const { return refused_; }

private:
    void on(const proto::Send&) {}
    void on(const proto::Traced& traced) { around_.sink.traced({traced.what, traced.document}); }
    void on(const proto::CookieReceived&) {}
    void on(const proto::ParametersReceived& received) { ask_gate(received.parameters); }
    void on(const proto::OpenStreams&) {}
    void on(const proto::StartClock&) { run_->start_clock(); }
    void on(const proto::StartTraffic&) { run_->start_traffic(); }
    void on(const proto::EndOfTest&);
    void on(const proto::ResultsWanted&) {}
    void on(const proto::ResultsReceived&) {}
    void on(const proto::ShowSummary&) {}
    void on(const proto::Finished&) { end({}); }
    void on(const proto::PeerTerminated&);
    void on(const proto::Failed& failed) { end(failed.message); }

    void ask_gate(const proto::Parameters& parameters);
    void prepare(const proto::Parameters& parameters);
    void warn_of_congestion(const std::string& asked);
    void acquire_path();
    void on_streams_open();
    void turn_away();
    void on_path(Result<DataPath> path);
    [[nodiscard]] std::optional<proto::Failure> open_streams(DataPath path);
    void send_results(const stats::ServerOutput& output);
    void fail(const proto::Failure& failure);
    void summarize_and_end(const std::string& message);
    void end(const std::string& message);
    void settle();

    Surroundings around_;
    std::shared_ptr<Link> link_;
    std::uint64_t number_;
    std::function<void()> over_;
    proto::Cookie cookie_;
    std::optional<SetUpTurns::Place> place_;  // until the streams are open
    std::optional<unsigned> cpu_;             // where the client wishes the poller
    PathHold path_hold_;
    std::unique_ptr<TestFile> file_;  // until it is run_'s
    std::unique_ptr<TestRun> run_;
    Timer answer_timer_, quiet_timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for relay()'s answer
    bool summarized_ = false, refused_ = false, ended_ = false;
};

}  // namespace dpdkperf::control
