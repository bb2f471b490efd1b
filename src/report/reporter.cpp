#include "dpdkperf/report/reporter.hpp"

#include "extras.hpp"
#include "json.hpp"
#include "json_stream.hpp"
#include "requirements.hpp"
#include "save.hpp"
#include "text.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <ostream>
#include <thread>
#include <utility>

namespace dpdkperf::report {

// A thread that does one thing after another.
class Reporter::Worker {
public:
    explicit Worker(std::ostream& err)
        : err_{err}, thread_{[this](const std::stop_token& stop) { run(stop); }}
    {
    }

    void enqueue(std::function<void()> job)
    {
        {
            const std::lock_guard lock{mutex_};
            queue_.push_back(std::move(job));
        }
        work_.notify_one();
    }

    void flush()
    {
        std::unique_lock lock{mutex_};
        idle_.wait(lock, [this] { return queue_.empty() && !busy_; });
    }

    // This thread: writes, reporting thread: reads.
    std::atomic<bool> lost_a_file{false};

private:
    // Ends when the queue is empty; jthread asks it to and waits.
    void run(const std::stop_token& stop)
    {
        std::unique_lock lock{mutex_};
        while (work_.wait(lock, stop, [this] { return !queue_.empty(); })) {
            std::function<void()> job = std::move(queue_.front());
            queue_.pop_front();
            busy_ = true;
            lock.unlock();
            carry_out(job);
            job = nullptr;
            lock.lock();
            busy_ = false;
            if (queue_.empty()) {
                idle_.notify_all();
            }
        }
    }

    // A report that cannot be rendered (no memory) must not end the test.
    void carry_out(const std::function<void()>& job)
    {
        try {
            job();
        } catch (const std::exception& problem) {
            err_ << "warning: a report was lost: " << problem.what() << std::endl;
        }
    }

    std::ostream& err_;
    std::mutex mutex_;
    std::condition_variable_any work_, idle_;
    std::deque<std::function<void()>> queue_;  // guarded by mutex_
    bool busy_ = false;                        // guarded by mutex_
    std::jthread thread_;                      // the last member: it uses all others
};

Reporter::Reporter(const Style& style, std::ostream& out, std::ostream& err)
    : Reporter{std::make_shared<Worker>(err), style, out, err}
{
}

Reporter::Reporter(
    std::shared_ptr<Worker> worker, const Style& style, std::ostream& out, std::ostream& err)
    : style_{style},
      out_{out},
      err_{err},
      requirements_met_{style.requirements.empty()},
      worker_{std::move(worker)},
      sinks_{std::make_shared<Sinks>()}
{
    const auto writers = style.test ? Writers::kOtherTests : Writers::kNobodyElse;
    sinks_->push_back(style.json_stream ? make_json_stream_sink(style, out, err)
                      : style.json      ? make_json_sink(style, writers, out, err)
                                        : make_text_sink(style, out, err));
    if (style.extras && !style.json) {
        sinks_->push_back(make_extras_sink(style, err));
    }
    if (style.saving) {
        sinks_->push_back(
            make_save_sink(style, err, [worker = worker_.get()] { worker->lost_a_file = true; }));
    }
}

Reporter::~Reporter() = default;

bool Reporter::lost_a_file() const
{
    return worker_->lost_a_file;
}

std::unique_ptr<stats::ReportSink> Reporter::sink_of(std::uint64_t test)
{
    Style style = style_;
    if (style.several_tests) {
        style.test = test;
    }
    return std::unique_ptr<stats::ReportSink>{new Reporter{worker_, style, out_, err_}};
}

void Reporter::listening(std::uint16_t port, std::uint64_t test)
{
    enqueue([=](stats::ReportSink& sink) { sink.listening(port, test); });
}

void Reporter::accepted(const Endpoint& peer)
{
    enqueue([peer](stats::ReportSink& sink) { sink.accepted(peer); });
}

void Reporter::connecting(const std::string& host, std::uint16_t port, bool reverse)
{
    enqueue([=](stats::ReportSink& sink) { sink.connecting(host, port, reverse); });
}

void Reporter::started(const stats::TestSettings& settings)
{
    settings_ = settings;
    enqueue([settings](stats::ReportSink& sink) { sink.started(settings); });
}

void Reporter::connected(const std::vector<stats::Connection>& connections)
{
    enqueue([connections](stats::ReportSink& sink) { sink.connected(connections); });
}

void Reporter::interval(const stats::IntervalReport& report)
{
    enqueue([report](stats::ReportSink& sink) { sink.interval(report); });
}

void Reporter::summary(const stats::Summary& summary)
{
    stats::Summary judged = summary;
    judged.verdicts = judge(style_.requirements, settings_, summary);
    requirements_met_ = std::ranges::all_of(judged.verdicts, &stats::Verdict::met);
    enqueue([judged = std::move(judged)](stats::ReportSink& sink) { sink.summary(judged); });
}

void Reporter::server_output(const stats::ServerOutput& output)
{
    enqueue([output](stats::ReportSink& sink) { sink.server_output(output); });
}

void Reporter::failed(const std::string& message)
{
    enqueue([message](stats::ReportSink& sink) { sink.failed(message); });
}

void Reporter::warned(const std::string& message)
{
    enqueue([message](stats::ReportSink& sink) { sink.warned(message); });
}

// The sink that prints answers; the other one has nothing to say.
void Reporter::relay(std::function<void(stats::ServerOutput)> give)
{
    enqueue([give = std::move(give)](stats::ReportSink& sink) { sink.relay(give); });
}

void Reporter::traced(const stats::Trace& trace)
{
    enqueue([trace](stats::ReportSink& sink) { sink.traced(trace); });
}

void Reporter::finished(bool success)
{
    enqueue([success](stats::ReportSink& sink) { sink.finished(success); });
}

void Reporter::flush()
{
    worker_->flush();
}

void Reporter::enqueue(Job job)
{
    worker_->enqueue([sinks = sinks_, job = std::move(job)] {
        for (const auto& sink : *sinks) {
            job(*sink);
        }
    });
}

}  // namespace dpdkperf::report
