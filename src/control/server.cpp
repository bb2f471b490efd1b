#include "dpdkperf/control/server.hpp"

#include "link.hpp"
#include "server_test.hpp"
#include "set_up_turns.hpp"
#include "settings.hpp"
#include "sockets.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <utility>

#include <asio/ip/tcp.hpp>

namespace dpdkperf::control {

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

// Connections that have not sent their cookie yet; and such that were told to go and have not
// gone. Of more, the oldest are dropped: nobody keeps a client out by opening many.
constexpr std::size_t kMaxGuests = 32;

// After a failed accept(), as without a free file descriptor.
constexpr auto kAcceptPause = 100ms;

// Port scanners shall not fill the log.
constexpr auto kWarningPause = 1s;

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
public:
    Impl(asio::io_context& loop, const options::Plan& plan, DataPaths& paths, PathWatch& watch,
        stats::ReportSink& sink, stats::TestSinks& test_sinks, const auth::Gate* gate)
        : loop_{loop},
          plan_{plan},
          paths_{paths},
          watch_{watch},
          sink_{sink},
          test_sinks_{test_sinks},
          gate_{gate},
          acceptor_{loop},
          accept_timer_{loop},
          idle_timer_{loop}
    {
    }

    void run(std::function<void(int)> done);
    void interrupt(int signal);
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    // A test, from its cookie until what is late on the wire has been swallowed.
    struct Running {
        std::shared_ptr<Link> link;
        std::unique_ptr<stats::ReportSink> sink;
        std::unique_ptr<ServerTest> test;  // reports to the sink
    };
    using RunningTest = std::list<Running>::iterator;

    // A connection that is no test's.
    struct Guest {
        std::shared_ptr<Link> link;
        std::optional<proto::Cookie> cookie;  // it has one, and waits for some test to settle
    };

    Status listen(std::uint16_t port);
    void accept();
    void await_idle_timeout();
    void on_idle_timeout();
    void on_accepted(const asio::error_code& failed, tcp::socket socket);
    void welcome(tcp::socket socket);
    void turn_away(tcp::socket socket);
    void see_off(const std::shared_ptr<Link>& link);
    void on_action(Link& link, const proto::Action& action);
    std::list<Guest>::iterator guest_of(const Link& link);
    void on_cookie(Link& link, const proto::Cookie& cookie);
    void seat(std::list<Guest>::iterator at);
    void begin_test(std::shared_ptr<Link> link, const proto::Cookie& cookie);
    void on_test_over(RunningTest over);
    [[nodiscard]] bool busy() const;
    void drop(Link& link, const std::string& why);
    void warn(const std::string& message);
    void give_up(const std::string& message);
    void end(int exit_code);

    asio::io_context& loop_;
    const options::Plan& plan_;
    DataPaths& paths_;
    PathWatch& watch_;
    stats::ReportSink& sink_;
    stats::TestSinks& test_sinks_;
    const auth::Gate* gate_;
    tcp::acceptor acceptor_;
    Timer accept_timer_, idle_timer_;
    std::uint16_t port_ = 0;
    std::list<Guest> guests_;
    std::deque<std::weak_ptr<Link>> leaving_;
    SetUpTurns turns_;
    std::list<Running> tests_;
    std::uint64_t next_number_ = 1;
    Moment last_warning_{};
    bool stopping_ = false;
    std::function<void(int)> done_;
};

void Server::Impl::run(std::function<void(int)> done)
{
    done_ = std::move(done);
    if (const Status listening = listen(plan_.port); !listening) {
        return give_up(listening.error().message);
    }
    sink_.listening(port_, next_number_);
    await_idle_timeout();
}

void Server::Impl::give_up(const std::string& message)
{
    sink_.failed(message);
    sink_.finished(false);
    end(1);
}

Status Server::Impl::listen(std::uint16_t port)
{
    auto acceptor = listen_on(loop_, plan_, port);
    if (!acceptor) {
        return std::move(acceptor).error();
    }
    acceptor_ = std::move(*acceptor);
    asio::error_code ignored;
    port_ = acceptor_.local_endpoint(ignored).port();
    accept();
    return {};
}

void Server::Impl::await_idle_timeout()
{
    if (plan_.idle_timeout) {
        idle_timer_.after(*plan_.idle_timeout, [this] { on_idle_timeout(); });
    }
}

// iperf3 begins anew, in case that it got stuck (3.12, src/iperf_server_api.c).
void Server::Impl::on_idle_timeout()
{
    if (plan_.one_off && guests_.empty()) {
        return end(0);
    }
    asio::error_code ignored;
    acceptor_.close(ignored);
    if (const Status listening = listen(port_); !listening) {
        return give_up(listening.error().message);
    }
    await_idle_timeout();
}

void Server::Impl::accept()
{
    acceptor_.async_accept(
        [weak = weak_from_this()](const asio::error_code& failed, tcp::socket socket) {
            if (const auto self = weak.lock(); self && !self->stopping_) {
                self->on_accepted(failed, std::move(socket));
            }
        });
}

void Server::Impl::on_accepted(const asio::error_code& failed, tcp::socket socket)
{
    if (failed == asio::error::operation_aborted) {
        return;  // there is another listener now
    }
    if (failed) {
        return accept_timer_.after(kAcceptPause, [this] { accept(); });
    }
    prepare_control(socket, plan_);
    busy() ? turn_away(std::move(socket)) : welcome(std::move(socket));
    accept();
}

// As many tests run as may.
bool Server::Impl::busy() const
{
    const auto runs = [](const Running& running) { return !running.test->ended(); };
    return static_cast<std::size_t>(std::ranges::count_if(tests_, runs)) >= plan_.concurrent;
}

void Server::Impl::welcome(tcp::socket socket)
{
    if (guests_.size() >= kMaxGuests) {
        see_off(guests_.front().link);
        guests_.pop_front();
    }
    const auto patience = plan_.rcv_timeout.value_or(RunPlan{}.rcv_timeout);
    auto session = proto::Session::server(patience);
    session.trace(trace_level(plan_.debug_level));
    auto link = Link::make(loop_, std::move(socket), std::move(session));
    guests_.push_back({link, {}});
    link->start([weak = weak_from_this(), link = link.get()](const proto::Action& action) {
        if (const auto self = weak.lock()) {
            self->on_action(*link, action);
        }
    });
}

void Server::Impl::turn_away(tcp::socket socket)
{
    auto link = Link::make(loop_, std::move(socket), proto::Session::server(1s));
    link->tell(link->session().turn_away());
    see_off(link);
}

// Closes the connection, but waits only so long for so many of them.
void Server::Impl::see_off(const std::shared_ptr<Link>& link)
{
    if (leaving_.size() >= kMaxGuests) {
        if (const auto oldest = leaving_.front().lock()) {
            oldest->abort();
        }
        leaving_.pop_front();
    }
    link->close({});
    leaving_.push_back(link);
}

void Server::Impl::on_action(Link& link, const proto::Action& action)
{
    const auto its =
        std::ranges::find(tests_, &link, [](const Running& r) { return r.link.get(); });
    if (its != tests_.end()) {
        return its->test->on_action(action);
    }
    if (const auto* traced = std::get_if<proto::Traced>(&action)) {
        sink_.traced({traced->what, traced->document});
    } else if (const auto* received = std::get_if<proto::CookieReceived>(&action)) {
        on_cookie(link, received->cookie);
    } else if (const auto* failed = std::get_if<proto::Failed>(&action)) {
        drop(link, failed->message);
    } else {
        drop(link, "it said goodbye before the test");
    }
}

std::list<Server::Impl::Guest>::iterator Server::Impl::guest_of(const Link& link)
{
    return std::find_if(guests_.begin(), guests_.end(),
        [&](const Guest& guest) { return guest.link.get() == &link; });
}

void Server::Impl::on_cookie(Link& link, const proto::Cookie& cookie)
{
    const auto at = guest_of(link);
    if (at == guests_.end()) {
        return;
    }
    at->cookie = cookie;
    seat(at);
}

// Whoever has said its cookie gets a test, is turned away, or waits while one has ended and its
// place is not free yet.
void Server::Impl::seat(std::list<Guest>::iterator at)
{
    const bool full = tests_.size() >= plan_.concurrent;
    if (!at->cookie || (full && !busy())) {
        return;
    }
    const Guest guest = *at;
    guests_.erase(at);
    if (full) {
        guest.link->tell(guest.link->session().turn_away());
        return see_off(guest.link);
    }
    begin_test(guest.link, *guest.cookie);
}

void Server::Impl::begin_test(std::shared_ptr<Link> link, const proto::Cookie& cookie)
{
    idle_timer_.cancel();
    const std::uint64_t number = next_number_++;
    const auto running = tests_.insert(tests_.end(), {link, test_sinks_.sink_of(number), nullptr});
    const ServerTest::Surroundings around{
        loop_, plan_, paths_, watch_, *running->sink, gate_, turns_};
    running->test = std::make_unique<ServerTest>(
        around, std::move(link), number, [this, running] { on_test_over(running); });
    running->test->begin(cookie);
}

void Server::Impl::on_test_over(RunningTest over)
{
    const bool counts = !over->test->refused();
    tests_.erase(over);
    if (stopping_ || (plan_.one_off && counts)) {
        return tests_.empty() ? end(0) : void();
    }
    if (tests_.empty()) {
        sink_.listening(port_, next_number_);
        await_idle_timeout();
    }
    for (auto guest = guests_.begin(); guest != guests_.end();) {
        seat(guest++);
    }
}

// A connection that never became a test.
void Server::Impl::drop(Link& link, const std::string& why)
{
    warn("connection from " + to_string(link.remote()) + ": " + why);
    const auto at = guest_of(link);
    if (at != guests_.end()) {
        see_off(at->link);
        guests_.erase(at);
    }
}

void Server::Impl::warn(const std::string& message)
{
    const Moment now = Moment::clock::now();
    if (now - last_warning_ >= kWarningPause) {
        last_warning_ = now;
        sink_.warned(message);
    }
}

void Server::Impl::interrupt(int signal)
{
    if (std::exchange(stopping_, true)) {
        return end(0);  // the user is impatient
    }
    bool somebody_was_told = false;
    for (const Running& running : tests_) {
        somebody_was_told = somebody_was_told || !running.test->ended();
        running.test->interrupt(signal);
    }
    if (somebody_was_told) {
        return;
    }
    sink_.failed(interrupted(true, signal));
    sink_.finished(false);
    if (tests_.empty()) {
        end(0);
    }
}

void Server::Impl::end(int exit_code)
{
    stopping_ = true;
    accept_timer_.cancel();
    idle_timer_.cancel();
    asio::error_code ignored;
    acceptor_.close(ignored);
    for (const Guest& guest : guests_) {
        guest.link->close({});
    }
    guests_.clear();
    if (const auto done = std::exchange(done_, nullptr)) {
        asio::post(loop_, [done, exit_code] { done(exit_code); });
    }
}

Server::Server(asio::io_context& loop, const options::Plan& plan, DataPaths& paths,
    PathWatch& watch, stats::ReportSink& sink, stats::TestSinks& test_sinks, const auth::Gate* gate)
    : impl_{std::make_shared<Impl>(loop, plan, paths, watch, sink, test_sinks, gate)}
{
}

Server::~Server() = default;

void Server::run(std::function<void(int)> done)
{
    impl_->run(std::move(done));
}

void Server::interrupt(int signal)
{
    impl_->interrupt(signal);
}

std::uint16_t Server::port() const
{
    return impl_->port();
}

}  // namespace dpdkperf::control
