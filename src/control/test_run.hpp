#pragma once

#include "account.hpp"
#include "cpu_clock.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/host/placeholder.hpp"
#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/parameters.hpp"
#include "dpdkperf/proto/results.hpp"
#include "dpdkperf/stats/reports.hpp"
#include "rate_guard.hpp"
#include "test_file.hpp"
#include "timer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace dpdkperf::control {

// What a TestRun has to do.
struct RunPlan {
    traffic::SessionId id = 1;
    bool server = false;
    proto::Parameters parameters;
    proto::Cookie cookie;
    IpAddress peer;
    std::uint16_t port = 0;                    // the server's
    std::optional<std::uint16_t> client_port;  // --cport, of the first stream
    std::chrono::nanoseconds interval{0};
    std::chrono::milliseconds rcv_timeout{120'000};  // iperf3's default, src/iperf.h
    std::chrono::milliseconds snd_timeout{0};        // 0: as patient as TCP is
    BitRate max_total_rate;                          // 0: unlimited
    std::chrono::nanoseconds rate_window{0};         // that it is averaged over
    std::unique_ptr<TestFile> file;                  // -F; null: none
};

// The data side of one test, in either role: opens the streams, starts them, watches them, reports
// their intervals, and stops them. It knows nothing of the conversation with the peer.
class TestRun {
public:
    struct Events {
        std::function<void()> streams_open;                 // all are
        std::function<void()> over;                         // client: time or limit is reached
        std::function<void(const proto::Failure&)> failed;  // may come at any time until close()
    };

    TestRun(asio::io_context& loop, DataPath path, PathWatch& watch, stats::ReportSink& sink,
        RunPlan plan, Events events);
    TestRun(const TestRun&) = delete;
    TestRun& operator=(const TestRun&) = delete;
    // NOLINTNEXTLINE(bugprone-exception-escape): cancelling a timer does not fail
    ~TestRun();

    // Holds the ports, tells the data plane and the steering. A server's streams open from now on
    // as hellos come, a client's one after another. Then streams_open is called.
    Status open();

    void start_clock();    // TEST_START: the test begins
    void start_traffic();  // TEST_RUNNING: data flows

    // The test ends now. What is on its way within `linger` still counts; when all counters are
    // final and the last interval is reported, `done` is called. Of several calls the last one's
    // `done` is.
    void finish(std::chrono::nanoseconds linger, std::function<void()> done);

    // TCP: no connection that comes from now on is a stream of this test.
    void admit_no_more();

    // close(), but after finish() only when both sides have closed their connections, or after a
    // second. `parted` is called once, from close() on.
    void part(std::function<void()> parted);

    // Lets go of everything. No event comes any more. Does nothing the second time.
    void close();

    [[nodiscard]] bool clock_runs() const { return start_.has_value(); }
    [[nodiscard]] const RunPlan& plan() const { return plan_; }

    // After finish().
    [[nodiscard]] proto::Results results() const;
    [[nodiscard]] stats::Summary summary(const proto::Results* peer) const;

private:
    [[nodiscard]] bool tcp() const { return plan_.parameters.transport == proto::Transport::kTcp; }
    [[nodiscard]] IpProtocol protocol() const
    {
        return tcp() ? IpProtocol::kTcp : IpProtocol::kUdp;
    }
    // -F, and we send: its end is the test's.
    [[nodiscard]] bool sends_file() const { return plan_.file && !plan_.file->content().empty(); }
    [[nodiscard]] std::string congestion() const;
    [[nodiscard]] traffic::SessionSpec session_spec() const;
    Status hold_ports();
    Result<host::PlaceholderSocket> hold_port(std::uint32_t index) const;
    Status claim_flows();
    Status keep_flows();
    void release_flows();
    void watch_path();
    void stop_admitting();
    void say_next_hello();
    void on_refused(int error);
    void await_streams();
    void report_connections();
    void housekeeping();
    void guard_rate();
    std::optional<proto::Failure> find_trouble();
    [[nodiscard]] static proto::Failure stream_failure(
        const traffic::StreamSpec& spec, const traffic::StreamStatus& status);
    bool data_is_missing(const traffic::SessionStatus& status);
    void await_next_edge();
    void pass_edge();
    bool try_pass(const stats::Edge& edge);
    void pass_edges_until(std::chrono::nanoseconds end);
    void await_limit();
    [[nodiscard]] bool limit_is_reached() const;
    void await_drain();
    void await_counters();
    void await_file();
    void await_parting(Moment until, const std::function<void()>& parted);
    void conclude();
    [[nodiscard]] std::optional<std::vector<stats::Snapshot>> snapshots(std::uint64_t edge) const;
    [[nodiscard]] std::optional<std::chrono::nanoseconds> planned_end() const;
    void fail(const proto::Failure& failure);

    DataPath path_;
    PathWatch& watch_;
    stats::ReportSink& sink_;
    RunPlan plan_;
    Events events_;

    std::vector<StreamName> names_;
    std::vector<host::PlaceholderSocket> placeholders_;
    std::vector<traffic::StreamSpec> specs_;
    WatchHold watch_hold_;
    bool claimed_ = false, admitting_ = false, opened_ = false, closed_ = false;
    std::uint64_t stray_before_ = 0;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> flows_;  // local and remote port
    std::uint32_t hello_ = 0;     // client: the stream whose reply is awaited
    std::uint32_t refusals_ = 0;  // of that stream's SYN, so far

    std::optional<Moment> start_;
    CpuClock cpu_;
    stats::CpuUse cpu_use_;
    stats::EdgeSchedule edges_;
    std::uint64_t next_edge_ = 1;
    Account account_;
    RateGuard rate_guard_;
    PayloadBytes received_before_;
    Moment received_since_;

    bool running_ = false, finishing_ = false, finished_ = false;
    Moment finish_asked_;
    std::chrono::nanoseconds linger_{0};
    std::function<void()> done_;

    Timer house_timer_, open_timer_, edge_timer_, end_timer_, limit_timer_, finish_timer_,
        rate_timer_;
};

}  // namespace dpdkperf::control
