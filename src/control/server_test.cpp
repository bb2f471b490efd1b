#include "server_test.hpp"

#include "dpdkperf/options/congestion.hpp"
#include "settings.hpp"
#include "streams.hpp"

#include <algorithm>

#include <asio/post.hpp>

namespace dpdkperf::control {

namespace {

using namespace std::chrono_literals;
using proto::IperfError;

// TEST_END may overtake datagrams that wait in the NIC's and the network's queues.
constexpr auto kAfterTestEnd = 2ms;

// Every refusal comes so long after the question. It takes longer than any key's arithmetic, so
// that a client learns nothing from the time, and allows no more than two guesses in a second.
constexpr auto kRefusalDelay = 500ms;

// How long another test with the same address may take to set up its streams.
constexpr auto kTurnPatience = 10s;

// A rate over less says nothing; iperf3 takes no shorter interval.
constexpr std::chrono::nanoseconds kLeastWindow = 100ms;

// Datagrams that are late would be taken for the next test's hellos.
constexpr auto kQuiet = 5ms;

}  // namespace

ServerTest::ServerTest(const Surroundings& around, std::shared_ptr<Link> link, std::uint64_t number,
    std::function<void()> over)
    : around_{around},
      link_{std::move(link)},
      number_{number},
      over_{std::move(over)},
      answer_timer_{around.loop},
      quiet_timer_{around.loop}
{
}

ServerTest::~ServerTest()
{
    link_->close({});
}

void ServerTest::begin(const proto::Cookie& cookie)
{
    cookie_ = cookie;
    around_.sink.accepted(link_->remote());
    link_->tell(link_->session().welcome());
}

void ServerTest::on_action(const proto::Action& action)
{
    if (!ended_) {
        std::visit([this](const auto& a) { on(a); }, action);
    }
}

void ServerTest::ask_gate(const proto::Parameters& parameters)
{
    if (around_.gate == nullptr) {
        return prepare(parameters);
    }
    const Moment asked = Moment::clock::now();
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const Status admitted = around_.gate->admit(parameters.auth_token, now);
    if (admitted) {
        return prepare(parameters);
    }
    refused_ = true;
    answer_timer_.at(asked + kRefusalDelay, [this, why = admitted.error().message] {
        fail({IperfError::kAuthorization, 0, why});
    });
}

void ServerTest::prepare(const proto::Parameters& parameters)
{
    if (parameters.transport == proto::Transport::kSctp) {
        return fail({IperfError::kNotImplemented, 0, "SCTP tests are not supported"});
    }
    if (parameters.transport == proto::Transport::kTcp) {
        if (const auto failure = check_mss(parameters.mss_bytes)) {
            return fail(*failure);
        }
        warn_of_congestion(parameters.congestion);
    }
    if (const auto refused = check_limits(around_.plan, parameters)) {
        return fail(*refused);
    }
    if (const auto failure = check_cpu(parameters.server_cpu)) {
        return fail(*failure);
    }
    if (around_.plan.file) {
        auto file = TestFile::of_server(*around_.plan.file, parameters);
        if (const auto* failure = std::get_if<proto::Failure>(&file)) {
            return fail(*failure);
        }
        file_ = std::get<std::unique_ptr<TestFile>>(std::move(file));
    }
    cpu_ = parameters.server_cpu;
    place_.emplace(around_.turns, link_->remote().address, [this] {
        if (!ended_) {
            answer_timer_.cancel();
            acquire_path();
        }
    });
    if (place_->first()) {
        return acquire_path();
    }
    answer_timer_.after(kTurnPatience, [this] { turn_away(); });
}

// A server does what it can, as iperf3's (3.12, src/iperf_tcp.c, iperf_tcp_listen()).
void ServerTest::warn_of_congestion(const std::string& asked)
{
    if (!asked.empty() && !options::congestion_named(asked)) {
        around_.sink.warned("TCP congestion control algorithm '" + asked + "' is not supported, " +
                            std::string{options::kDefaultCongestion} + " is used");
    }
}

void ServerTest::turn_away()
{
    link_->tell(link_->session().turn_away());
    refused_ = true;
    end("another test with " + to_string(link_->remote().address) +
        " has not set up its streams yet");
}

void ServerTest::acquire_path()
{
    PathRequest request{link_->remote().address, link_->local().address,
        around_.plan.bind_device ? around_.plan.bind_device : link_->scope()};
    request.cpu = cpu_;
    path_hold_ = around_.paths.acquire(request, [this](Result<DataPath> path) {
        if (!ended_) {
            on_path(std::move(path));
        }
    });
}

void ServerTest::on_path(Result<DataPath> path)
{
    if (!path) {
        return fail({IperfError::kStreamListen, 0, path.error().message});
    }
    const proto::Parameters& parameters = link_->session().parameters();
    const auto limit = path->traffic->max_datagram(link_->remote().address.is_v4());
    const auto failure = check_datagram(parameters.block_bytes, limit, path->interface);
    if (failure && parameters.transport == proto::Transport::kUdp) {
        return fail(*failure);
    }
    auto settings = settings_of(around_.plan, parameters, cookie_, link_->remote(), 0);
    settings.port_plan = path->plan;
    around_.sink.started(settings);
    if (const auto refused = open_streams(std::move(*path))) {
        return fail(*refused);
    }
    link_->tell(link_->session().accept());
}

std::optional<proto::Failure> ServerTest::open_streams(DataPath path)
{
    RunPlan run;
    run.id = static_cast<traffic::SessionId>(number_);
    run.server = true;
    run.parameters = link_->session().parameters();
    run.cookie = cookie_;
    run.peer = link_->remote().address;
    run.port = link_->local().port;
    run.interval = around_.plan.interval;
    run.rcv_timeout = around_.plan.rcv_timeout.value_or(run.rcv_timeout);
    run.snd_timeout = around_.plan.snd_timeout.value_or(run.snd_timeout);
    run.max_total_rate = around_.plan.max_total_rate;
    run.rate_window = around_.plan.rate_window > 0ns
                          ? around_.plan.rate_window
                          : std::max(around_.plan.interval, kLeastWindow);
    run.file = std::move(file_);
    TestRun::Events events;
    events.streams_open = [this] { on_streams_open(); };
    events.over = [] {};
    events.failed = [this](const proto::Failure& failure) { fail(failure); };
    run_ = std::make_unique<TestRun>(around_.loop, std::move(path), around_.watch, around_.sink,
        std::move(run), std::move(events));
    if (auto opened = run_->open(); !opened) {
        return proto::Failure{IperfError::kStreamListen, 0, opened.error().message};
    }
    return {};
}

void ServerTest::on_streams_open()
{
    link_->tell(link_->session().streams_open());
    place_.reset();
}

void ServerTest::on(const proto::EndOfTest&)
{
    const bool receives =
        has_direction(link_->session().parameters(), true, traffic::Direction::kReceive);
    run_->finish(receives ? kAfterTestEnd : 0ms, [this] {
        summarized_ = true;
        around_.sink.summary(run_->summary(nullptr));
        if (!link_->session().parameters().get_server_output) {
            return send_results({});
        }
        around_.sink.relay([this, &loop = around_.loop, alive = std::weak_ptr{alive_}](
                               const stats::ServerOutput& output) {
            asio::post(loop, [this, alive, output] {
                if (alive.lock() && !ended_) {
                    send_results(output);
                }
            });
        });
    });
}

void ServerTest::send_results(const stats::ServerOutput& output)
{
    proto::Results results = run_->results();
    (output.json ? results.server_output_json : results.server_output_text) = output.text;
    link_->tell(link_->session().results(results));
}

void ServerTest::on(const proto::PeerTerminated&)
{
    summarize_and_end(to_string(proto::Failure{IperfError::kClientTerminated, 0, {}}));
}

// Tells the client, if it still listens, and ends.
void ServerTest::fail(const proto::Failure& failure)
{
    link_->tell(link_->session().fail(failure));
    end(to_string(failure));
}

void ServerTest::interrupt(int signal)
{
    if (!ended_) {
        link_->tell(link_->session().terminate());
        summarize_and_end(interrupted(true, signal));
    }
}

void ServerTest::summarize_and_end(const std::string& message)
{
    if (!run_ || !run_->clock_runs() || summarized_) {
        return end(message);
    }
    run_->finish(0ns, [this, message] {
        around_.sink.summary(run_->summary(nullptr));
        end(message);
    });
}

void ServerTest::end(const std::string& message)
{
    if (std::exchange(ended_, true)) {
        return;
    }
    answer_timer_.cancel();
    if (run_) {
        run_->admit_no_more();  // the next may be the control connection of another test
    }
    if (!message.empty()) {
        around_.sink.failed(message);
    }
    around_.sink.finished(message.empty());
    link_->close({});
    quiet_timer_.after(run_ ? kQuiet : 0ms, [this] { settle(); });
}

void ServerTest::settle()
{
    place_.reset();
    const auto settled = [this] {
        path_hold_.reset();
        const auto over = std::move(over_);
        over();
    };
    run_ ? run_->part(settled) : settled();
}

}  // namespace dpdkperf::control
