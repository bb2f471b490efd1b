#pragma once

#include "dpdkperf/base/units.hpp"
#include "dpdkperf/report/saving.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::report {

// What the reports look like, fixed for the life of a Reporter.
struct Style {
    bool json = false;              // -J: one object per test
    bool json_stream = false;       // --json-stream: an object per event, instead
    bool json_stream_full = false;  // --json-stream-full-output: then that of -J besides
    bool verbose = false;           // -V
    // Lines about what iperf3 does not know, on the error stream: wanted if that is a terminal, or
    // with -V. JSON has them in its object "dpdkperf" in any case.
    bool extras = false;
    RateUnit rate_unit = RateUnit::kAdaptiveBits;  // -f, of the text
    std::string title, extra_data;                 // a client's -T and --extra-data
    std::vector<stats::Requirement> requirements;  // a client's --require
    std::optional<Saving> saving;                  // --save
    // A server's that runs several tests at a time: whose reports these are; empty: of the server
    // itself, or of the one test that there is.
    bool several_tests = false;
    std::optional<std::uint64_t> test = std::nullopt;
    // Of each test, for a client that wants to see it and where tests share the output: JSON leaves
    // the intervals out that do not fit and says how many.
    std::size_t max_kept_bytes = stats::kMaxServerOutputBytes;
    // --timestamps: what stands before each line of the text, for strftime(3), and the clock that
    // it shows.
    std::optional<std::string> timestamp_format;
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
    std::string program = "dpdkperf";  // begins an error line
    std::string version;               // "dpdkperf 0.1.0"
    std::string system_info;           // as uname -a tells it
};

// Renders reports as iperf 3.12 does. Calls enqueue and return; a thread of the reporter's own
// renders, writes and flushes, so that what has been reported is seen at once (--forceflush asks
// iperf3 for that; here it is so always). Calls may come from any one thread at a time.
class Reporter final : public stats::ReportSink, public stats::TestSinks {
public:
    // The streams are used by the reporter's thread until it and all that sink_of() has given are
    // destroyed.
    Reporter(const Style& style, std::ostream& out, std::ostream& err);
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;
    ~Reporter() override;  // writes what is pending

    void listening(std::uint16_t port, std::uint64_t test) override;
    void accepted(const Endpoint& peer) override;
    void connecting(const std::string& host, std::uint16_t port, bool reverse) override;
    void started(const stats::TestSettings& settings) override;
    void connected(const std::vector<stats::Connection>& connections) override;
    void interval(const stats::IntervalReport& report) override;
    void summary(const stats::Summary& summary) override;
    void server_output(const stats::ServerOutput& output) override;
    void failed(const std::string& message) override;
    void warned(const std::string& message) override;
    void relay(std::function<void(stats::ServerOutput)> give) override;
    void traced(const stats::Trace& trace) override;
    void finished(bool success) override;

    // Renders on the same thread, what was reported first comes first.
    [[nodiscard]] std::unique_ptr<stats::ReportSink> sink_of(std::uint64_t test) override;

    // Returns when everything reported so far has been written.
    void flush();

    // What has been reported so far meets style.requirements. Not so before the summary, unless
    // there are none. From the thread that reports.
    [[nodiscard]] bool requirements_met() const { return requirements_met_; }

    // A file of --save could not be written, as far as everything has been flushed.
    [[nodiscard]] bool lost_a_file() const;

private:
    class Worker;
    using Sinks = std::vector<std::unique_ptr<stats::ReportSink>>;
    using Job = std::function<void(stats::ReportSink&)>;

    Reporter(
        std::shared_ptr<Worker> worker, const Style& style, std::ostream& out, std::ostream& err);
    void enqueue(Job job);

    Style style_;
    std::ostream& out_;
    std::ostream& err_;
    // Of the reporting thread.
    stats::TestSettings settings_;
    bool requirements_met_;
    std::shared_ptr<Worker> worker_;  // of all tests' reporters
    std::shared_ptr<Sinks> sinks_;    // worker only; jobs that are due have it, too
};

}  // namespace dpdkperf::report
