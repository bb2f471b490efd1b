#include "dpdkperf/control/client.hpp"

#include "approach.hpp"
#include "dpdkperf/control/host_address.hpp"
#include "dpdkperf/host/file.hpp"
#include "link.hpp"
#include "settings.hpp"
#include "sockets.hpp"
#include "streams.hpp"
#include "test_run.hpp"

#include <vector>

#include <asio/ip/tcp.hpp>

namespace dpdkperf::control {

namespace {

using namespace std::chrono_literals;
using proto::IperfError;

// Between the last datagram and TEST_END, so that the latter does not overtake it: TCP and UDP
// wait in different queues of the server.
constexpr auto kBeforeTestEnd = 1ms;

}  // namespace

class ClientTest::Impl : public std::enable_shared_from_this<ClientTest::Impl> {
public:
    Impl(asio::io_context& loop, const options::Plan& plan, DataPaths& paths, PathWatch& watch,
        stats::ReportSink& sink, const auth::Login* login)
        : loop_{loop}, plan_{plan}, paths_{paths}, watch_{watch}, sink_{sink}, login_{login}
    {
    }

    void run(std::function<void(int)> done);
    void interrupt(int signal);

private:
    Status check_plan();
    Status read_file();
    void approach();
    void say_waiting(const std::string& why);
    void on_arrived(Approach::Arrival arrival);
    [[nodiscard]] bool try_later(const std::string& why);
    void converse(asio::ip::tcp::socket socket);

    void on(const proto::Send&) {}
    void on(const proto::Traced& traced) { sink_.traced({traced.what, traced.document}); }
    void on(const proto::CookieReceived&) {}
    void on(const proto::ParametersReceived&) {}
    void on(const proto::OpenStreams&) { open_streams(); }
    void on(const proto::StartClock&) { run_->start_clock(); }
    void on(const proto::StartTraffic&) { run_->start_traffic(); }
    void on(const proto::EndOfTest&) {}
    void on(const proto::ResultsWanted&);
    void on(const proto::ResultsReceived& received) { peer_results_ = received.results; }
    void on(const proto::ShowSummary&);
    void on(const proto::Finished&) { end({}, 0); }
    void on(const proto::PeerTerminated&);
    void on(const proto::Failed& failed);

    void open_streams();
    void fail(const proto::Failure& failure);
    void end_test();
    void summarize_and_end(const std::string& message, int exit_code);
    void end(const std::string& message, int exit_code);
    void leave(int exit_code);

    asio::io_context& loop_;
    const options::Plan& plan_;
    DataPaths& paths_;
    PathWatch& watch_;
    stats::ReportSink& sink_;
    const auth::Login* login_;

    std::optional<IpAddress> local_;
    std::shared_ptr<Approach> approach_;
    IpAddress server_;
    std::optional<DataPath> path_;
    PathHold path_hold_;

    proto::Cookie cookie_;
    std::uint32_t mss_bytes_ = 0;
    std::shared_ptr<Link> link_;
    std::unique_ptr<TestFile> file_;  // until it is run_'s
    std::unique_ptr<TestRun> run_;
    std::optional<proto::Results> peer_results_;
    bool ended_ = false, interrupted_ = false;
    std::function<void(int)> done_;
};

void ClientTest::Impl::run(std::function<void(int)> done)
{
    done_ = std::move(done);
    if (auto good = check_plan(); !good) {
        return end(good.error().message, 1);
    }
    if (auto read = read_file(); !read) {
        return end(read.error().message, 1);
    }
    sink_.connecting(shown_host(plan_), plan_.port, plan_.reverse);
    approach();
}

Status ClientTest::Impl::check_plan()
{
    if (plan_.bind_address) {
        auto address = address_of(*plan_.bind_address, plan_.family);
        if (!address) {
            return std::move(address).error().within("-B");
        }
        local_ = *address;
    }
    if (plan_.protocol == options::Protocol::kTcp) {
        if (const auto failure = check_mss(plan_.mss_bytes)) {
            return Error{Errc::kUsage, to_string(*failure)};
        }
    }
    return {};
}

// What is to be sent, before anybody waits for it.
Status ClientTest::Impl::read_file()
{
    if (!plan_.file || plan_.reverse) {
        return {};
    }
    auto file = TestFile::read(*plan_.file);
    if (const auto* failure = std::get_if<proto::Failure>(&file)) {
        return Error{Errc::kSystem, to_string(*failure)};
    }
    file_ = std::get<std::unique_ptr<TestFile>>(std::move(file));
    return {};
}

void ClientTest::Impl::approach()
{
    Approach::Events events;
    events.arrived = [this](Approach::Arrival arrival) { on_arrived(std::move(arrival)); };
    events.failed = [this](const std::string& why) { end(why, 1); };
    events.waiting = [this](const std::string& why) { say_waiting(why); };
    approach_ = Approach::make(loop_, plan_, local_, paths_, std::move(events));
    approach_->begin();
}

void ClientTest::Impl::say_waiting(const std::string& why)
{
    if (!plan_.json && !plan_.json_stream) {
        sink_.warned("waiting for the server: " + why);
    }
}

void ClientTest::Impl::on_arrived(Approach::Arrival arrival)
{
    server_ = arrival.server;
    path_ = std::move(arrival.path);
    path_hold_ = std::move(arrival.path_hold);
    converse(std::move(arrival.socket));
}

// The server is there and not ready yet.
bool ClientTest::Impl::try_later(const std::string& why)
{
    if (!approach_->try_later(why)) {
        return false;
    }
    std::exchange(link_, nullptr)->close({});
    path_hold_.reset();
    path_.reset();
    return true;
}

void ClientTest::Impl::converse(asio::ip::tcp::socket socket)
{
    cookie_ = new_cookie();
    mss_bytes_ = segment_bytes(socket);
    const auto limit = path_->traffic->max_datagram(server_.is_v4());
    auto parameters = parameters_of(plan_, mss_bytes_, limit, path_->streams);
    if (const auto bytes = plan_.ends_with_file ? host::file_bytes(*plan_.file) : std::nullopt;
        bytes.value_or(0) > 0) {
        parameters.bytes = *bytes;
        parameters.time = 0s;
    }
    if (login_ != nullptr) {
        // Now and not before: it is good for as long as the server's clock skew allows.
        auto token = login_->token(
            std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
        if (!token) {
            return end(token.error().message, 1);
        }
        parameters.auth_token = *std::move(token);
    }
    auto session = proto::Session::client(cookie_, std::move(parameters));
    prepare_control(socket, plan_);
    session.trace(trace_level(plan_.debug_level));
    link_ = Link::make(loop_, std::move(socket), std::move(session));
    link_->start([weak = weak_from_this()](const proto::Action& action) {
        if (const auto self = weak.lock(); self && !self->ended_) {
            std::visit([&self](const auto& a) { self->on(a); }, action);
        }
    });
}

void ClientTest::Impl::open_streams()
{
    if (Status settled = paths_.settle(); !settled) {
        return fail({IperfError::kStreamConnect, 0, settled.error().message});
    }
    const proto::Parameters& parameters = link_->session().parameters();
    if (plan_.file && plan_.reverse) {
        auto file = TestFile::create(*plan_.file, parameters.streams(), false);
        if (const auto* failure = std::get_if<proto::Failure>(&file)) {
            return fail(*failure);
        }
        file_ = std::get<std::unique_ptr<TestFile>>(std::move(file));
    }
    auto settings = settings_of(plan_, parameters, cookie_, {}, mss_bytes_);
    settings.port_plan = path_->plan;
    sink_.started(settings);
    RunPlan run;
    run.parameters = parameters;
    run.cookie = cookie_;
    run.peer = server_;
    run.port = plan_.port;
    run.client_port = plan_.client_port;
    run.interval = plan_.interval;
    run.snd_timeout = plan_.snd_timeout.value_or(run.snd_timeout);
    run.rcv_timeout = plan_.rcv_timeout.value_or(run.rcv_timeout);
    run.file = std::move(file_);
    TestRun::Events events;
    events.streams_open = [this] { link_->tell(link_->session().streams_open()); };
    events.over = [this] { end_test(); };
    events.failed = [this](const proto::Failure& failure) { fail(failure); };
    run_ =
        std::make_unique<TestRun>(loop_, *path_, watch_, sink_, std::move(run), std::move(events));
    if (auto opened = run_->open(); !opened) {
        fail({IperfError::kStreamConnect, 0, opened.error().message});
    }
}

// Tells the server, if it still listens, and ends.
void ClientTest::Impl::fail(const proto::Failure& failure)
{
    link_->tell(link_->session().fail(failure));
    end(to_string(failure), 1);
}

void ClientTest::Impl::end_test()
{
    const bool sends =
        has_direction(link_->session().parameters(), false, traffic::Direction::kSend);
    run_->finish(
        sends ? kBeforeTestEnd : 0ms, [this] { link_->tell(link_->session().end_test()); });
}

void ClientTest::Impl::on(const proto::ResultsWanted&)
{
    link_->tell(link_->session().results(run_->results()));
}

void ClientTest::Impl::on(const proto::ShowSummary&)
{
    // Some servers keep the wish of an earlier client.
    if (plan_.get_server_output) {
        if (!peer_results_->server_output_json.empty()) {
            sink_.server_output({peer_results_->server_output_json, true});
        } else if (!peer_results_->server_output_text.empty()) {
            sink_.server_output({peer_results_->server_output_text, false});
        }
    }
    sink_.summary(run_->summary(&*peer_results_));
}

void ClientTest::Impl::on(const proto::Failed& failed)
{
    if (run_ || !may_pass(failed) || !try_later(failed.message)) {
        end(failed.message, 1);
    }
}

void ClientTest::Impl::on(const proto::PeerTerminated&)
{
    summarize_and_end(to_string(proto::Failure{IperfError::kServerTerminated, 0, {}}), 1);
}

void ClientTest::Impl::interrupt(int signal)
{
    if (ended_) {
        return;
    }
    const std::string message = interrupted(false, signal);
    if (interrupted_) {
        return end(message, 0);  // the user is impatient
    }
    interrupted_ = true;
    if (link_) {
        link_->tell(link_->session().terminate());
    }
    summarize_and_end(message, 0);
}

// Reports what has been measured so far before the end.
void ClientTest::Impl::summarize_and_end(const std::string& message, int exit_code)
{
    if (!run_ || !run_->clock_runs()) {
        return end(message, exit_code);
    }
    const auto report = [this, message, exit_code] {
        sink_.summary(run_->summary(peer_results_ ? &*peer_results_ : nullptr));
        end(message, exit_code);
    };
    run_->finish(0ns, report);
}

void ClientTest::Impl::end(const std::string& message, int exit_code)
{
    if (std::exchange(ended_, true)) {
        return;
    }
    if (!message.empty()) {
        sink_.failed(message);
    }
    sink_.finished(message.empty());
    if (approach_) {
        approach_->cancel();
    }
    const auto leave = [self = shared_from_this(), exit_code] { self->leave(exit_code); };
    run_ ? run_->part(leave) : leave();
}

void ClientTest::Impl::leave(int exit_code)
{
    path_hold_.reset();
    const auto left = [done = std::move(done_), exit_code] { done(exit_code); };
    if (link_) {
        return link_->close(left);
    }
    asio::post(loop_, left);
}

ClientTest::ClientTest(asio::io_context& loop, const options::Plan& plan, DataPaths& paths,
    PathWatch& watch, stats::ReportSink& sink, const auth::Login* login)
    : impl_{std::make_shared<Impl>(loop, plan, paths, watch, sink, login)}
{
}

ClientTest::~ClientTest() = default;

void ClientTest::run(std::function<void(int)> done)
{
    impl_->run(std::move(done));
}

void ClientTest::interrupt(int signal)
{
    impl_->interrupt(signal);
}

}  // namespace dpdkperf::control
