#include "dpdkperf/control/client.hpp"

#include "dpdkperf/control/host_address.hpp"
#include "dpdkperf/host/file.hpp"
#include "link.hpp"
#include "patience.hpp"
#include "settings.hpp"
#include "sockets.hpp"
#include "streams.hpp"
#include "test_run.hpp"

#include <vector>

#include <asio/ip/tcp.hpp>

namespace dpdkperf::control {

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using proto::IperfError;

// Between the last datagram and TEST_END, so that the latter does not overtake it: TCP and UDP
// wait in different queues of the server.
constexpr auto kBeforeTestEnd = 1ms;

tcp protocol_of(options::Family family)
{
    return family == options::Family::kIpv6 ? tcp::v6() : tcp::v4();
}

}  // namespace

class ClientTest::Impl : public std::enable_shared_from_this<ClientTest::Impl> {
public:
    Impl(asio::io_context& loop, const options::Plan& plan, DataPaths& paths, PathWatch& watch,
        stats::ReportSink& sink, const auth::Login* login)
        : loop_{loop},
          plan_{plan},
          paths_{paths},
          watch_{watch},
          sink_{sink},
          login_{login},
          resolver_{loop},
          socket_{loop},
          timer_{loop},
          patience_{plan.wait, Moment::clock::now()}
    {
    }

    void run(std::function<void(int)> done);
    void interrupt(int signal);

private:
    Status check_plan();
    Status read_file();
    void resolve();
    void try_next();
    void on_path(Result<DataPath> path);
    void connect();
    void on_connected(const asio::error_code& failed);
    void give_up_address(Error why);
    [[nodiscard]] bool try_later(const std::string& why);
    void leave_path();
    void converse();

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

    tcp::resolver resolver_;
    tcp::socket socket_;
    Timer timer_;
    Patience patience_;
    bool waiting_ = false;  // for a server that is not ready yet
    std::optional<IpAddress> local_;
    std::vector<IpAddress> addresses_;  // of the server, in the order in which they are tried
    std::size_t next_address_ = 0;
    std::optional<Error> first_error_;  // of this round through the addresses
    bool may_pass_ = false;             // one of its errors
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
    resolve();
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

void ClientTest::Impl::resolve()
{
    if (const auto address = IpAddress::parse(plan_.host)) {
        addresses_.push_back(*address);
        return try_next();
    }
    const auto on_resolved = [weak = weak_from_this()](const asio::error_code& failed,
                                 const tcp::resolver::results_type& results) {
        const auto self = weak.lock();
        if (!self || self->ended_) {
            return;
        }
        if (failed) {
            return self->end("unable to connect to server: cannot find host '" + self->plan_.host +
                                 "': " + failed.message(),
                1);
        }
        for (const auto& result : results) {
            self->addresses_.push_back(from_asio(result.endpoint()).address);
        }
        self->try_next();
    };
    const std::string port = std::to_string(plan_.port);
    if (plan_.family == options::Family::kAny) {
        return resolver_.async_resolve(plan_.host, port, on_resolved);
    }
    resolver_.async_resolve(protocol_of(plan_.family), plan_.host, port, on_resolved);
}

// Addresses of the wrong family are passed over.
void ClientTest::Impl::try_next()
{
    const auto fits = [this](const IpAddress& address) {
        const bool v4 = address.is_v4();
        const bool wanted =
            plan_.family == options::Family::kAny || v4 == (plan_.family == options::Family::kIpv4);
        return wanted && (!local_ || local_->is_v4() == v4);
    };
    while (next_address_ < addresses_.size() && !fits(addresses_[next_address_])) {
        ++next_address_;
    }
    if (next_address_ == addresses_.size()) {
        if (may_pass_ && try_later(first_error_->message)) {
            return;
        }
        return end(first_error_ ? first_error_->message
                                : "unable to connect to server: '" + plan_.host +
                                      "' has no address of the family asked for",
            1);
    }
    PathRequest request{addresses_[next_address_], local_, plan_.bind_device};
    request.patience = plan_.connect_timeout.value_or(request.patience);
    path_hold_ = paths_.acquire(request, [weak = weak_from_this()](Result<DataPath> path) {
        if (const auto self = weak.lock(); self && !self->ended_) {
            self->on_path(std::move(path));
        }
    });
}

void ClientTest::Impl::give_up_address(Error why)
{
    leave_path();
    may_pass_ = may_pass_ || may_pass(why);
    if (!first_error_) {
        first_error_ = std::move(why);
    }
    ++next_address_;
    try_next();
}

void ClientTest::Impl::leave_path()
{
    path_hold_.reset();
    path_.reset();
}

// Begins anew with the first address, unless the user has waited long enough.
bool ClientTest::Impl::try_later(const std::string& why)
{
    const auto when = patience_.next_try(Moment::clock::now());
    if (!when) {
        return false;
    }
    if (!std::exchange(waiting_, true) && !plan_.json && !plan_.json_stream) {
        sink_.warned("waiting for the server: " + why);
    }
    if (const auto link = std::exchange(link_, nullptr)) {
        link->close({});
    }
    leave_path();
    next_address_ = 0;
    first_error_.reset();
    may_pass_ = false;
    timer_.at(*when, [this] { try_next(); });
    return true;
}

void ClientTest::Impl::on_path(Result<DataPath> path)
{
    if (!path) {
        return give_up_address(std::move(path).error());
    }
    path_ = std::move(*path);
    if (plan_.flow_label != 0 && addresses_[next_address_].is_v4()) {
        return end(
            to_string(proto::Failure{IperfError::kSetFlowLabel, 0, "the test runs over IPv4"}), 1);
    }
    const auto limit = path_->traffic->max_datagram(addresses_[next_address_].is_v4());
    const bool udp = plan_.protocol == options::Protocol::kUdp;
    const auto failure = check_datagram(plan_.block_bytes.value_or(0), limit, path_->interface);
    if (udp && failure) {
        return end(to_string(*failure), 1);
    }
    connect();
}

void ClientTest::Impl::connect()
{
    const Endpoint server{addresses_[next_address_], plan_.port};
    const auto endpoint = to_asio(server, path_->interface_index);
    asio::error_code failed;
    socket_.close(failed);
    socket_.open(endpoint.protocol(), failed);
    if (!failed && plan_.bind_device) {
        if (auto bound = bind_to_device(socket_.native_handle(), *plan_.bind_device); !bound) {
            return end(bound.error().message, 1);
        }
    }
    // From the address that the data comes from: servers take datagrams of the control peer only.
    socket_.bind(to_asio({path_->local, 0}, path_->interface_index), failed);
    if (failed) {
        return give_up_address({Errc::kSystem, to_string(proto::Failure{IperfError::kConnect,
                                                   failed.value(), to_string(path_->local)})});
    }
    if (const auto longest = patience_.of_connection(plan_.connect_timeout, Moment::clock::now())) {
        timer_.after(*longest, [this] {
            asio::error_code ignored;
            socket_.close(ignored);
            give_up_address(
                {Errc::kTimeout, to_string(proto::Failure{IperfError::kConnect, ETIMEDOUT, {}})});
        });
    }
    socket_.async_connect(endpoint, [weak = weak_from_this()](const asio::error_code& result) {
        const auto self = weak.lock();
        const bool given_up = result == asio::error::operation_aborted;
        if (self && !self->ended_ && !given_up) {
            self->on_connected(result);
        }
    });
}

void ClientTest::Impl::on_connected(const asio::error_code& failed)
{
    timer_.cancel();
    if (failed) {
        return give_up_address(
            {Errc::kPeer, to_string(proto::Failure{IperfError::kConnect, failed.value(), {}})});
    }
    converse();
}

void ClientTest::Impl::converse()
{
    cookie_ = new_cookie();
    mss_bytes_ = segment_bytes(socket_);
    const auto limit = path_->traffic->max_datagram(addresses_[next_address_].is_v4());
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
    prepare_control(socket_, plan_);
    session.trace(trace_level(plan_.debug_level));
    link_ = Link::make(loop_, std::move(socket_), std::move(session));
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
    run.peer = addresses_[next_address_];
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
    timer_.cancel();
    resolver_.cancel();
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
    asio::error_code ignored;
    socket_.close(ignored);
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
