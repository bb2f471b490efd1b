#pragma once

#include "dpdkperf/auth/login.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <functional>
#include <memory>

namespace dpdkperf::control {

// One test from the client's side. All calls, and all calls that it makes, on the thread of
// `loop`. What it is given must outlive it.
class ClientTest {
public:
    // `login`: null if the server need not know who we are.
    ClientTest(asio::io_context& loop, const options::Plan& plan, DataPaths& paths,
        PathWatch& watch, stats::ReportSink& sink, const auth::Login* login = nullptr);
    ClientTest(const ClientTest&) = delete;
    ClientTest& operator=(const ClientTest&) = delete;
    ~ClientTest();

    // Starts; `done` is called once, when everything is reported and the connection is closed, with
    // the exit code of the program: 0, or 1 after a failure.
    void run(std::function<void(int exit_code)> done);

    // The user wants to stop (SIGINT, SIGTERM, SIGHUP): tells the server, reports what there is,
    // and ends with exit code 0, as iperf3 does from 3.19 on.
    void interrupt(int signal);

private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // shared with handlers that may still be due
};

}  // namespace dpdkperf::control
