#pragma once

#include "dpdkperf/auth/gate.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace dpdkperf::control {

// Serves one test after another, or plan.concurrent at a time. Who connects while as many run is
// told so at once, and nobody who is silent or talks nonsense keeps others out. All calls, and all
// calls that it makes, on the thread of `loop`. What it is given must outlive it.
class Server {
public:
    // `sink`: for what is of no test. `gate`: null to serve everybody.
    Server(asio::io_context& loop, const options::Plan& plan, DataPaths& paths, PathWatch& watch,
        stats::ReportSink& sink, stats::TestSinks& test_sinks, const auth::Gate* gate = nullptr);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    // Listens. `done` is called once with the exit code: after stop(), after one test with -1 (a
    // client that the gate refuses does not count), or with 1 if it cannot listen.
    void run(std::function<void(int exit_code)> done);

    // The user wants to stop: tells the clients of running tests, reports what there is, and ends
    // with exit code 0.
    void interrupt(int signal);

    // The port that it listens on; of interest when the plan said 0.
    [[nodiscard]] std::uint16_t port() const;

private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // shared with handlers that may still be due
};

}  // namespace dpdkperf::control
