#include "dpdkperf/control/server.hpp"

#include "link.hpp"
#include "server_test.hpp"
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
        stats::ReportSink& sink, const auth::Gate* gate)
        : loop_{loop},
          plan_{plan},
          around_{loop, plan, paths, watch, sink, gate},
          acceptor_{loop},
          accept_timer_{loop},
          idle_timer_{loop}
    {
    }

    void run(std::function<void(int)> done);
    void interrupt(int signal);
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    // A connection that is not the running test's.
    struct Guest {
        std::shared_ptr<Link> link;
        std::optional<proto::Cookie> cookie;  // it has one, and waits for the last test to settle
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
    void begin_test(std::shared_ptr<Link> link, const proto::Cookie& cookie);
    void on_test_over();
    void drop(Link& link, const std::string& why);
    void warn(const std::string& message);
    void give_up(const std::string& message);
    void end(int exit_code);

    asio::io_context& loop_;
    const options::Plan& plan_;
    ServerTest::Surroundings around_;
    tcp::acceptor acceptor_;
    Timer accept_timer_, idle_timer_;
    std::uint16_t port_ = 0;
    std::list<Guest> guests_;
    std::deque<std::weak_ptr<Link>> leaving_;
    std::unique_ptr<ServerTest> test_;
    std::shared_ptr<Link> test_link_;
    std::uint64_t number_ = 1;
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
    around_.sink.listening(port_, number_);
    await_idle_timeout();
}

void Server::Impl::give_up(const std::string& message)
{
    around_.sink.failed(message);
    around_.sink.finished(false);
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
    test_ && !test_->ended() ? turn_away(std::move(socket)) : welcome(std::move(socket));
    accept();
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
    if (&link == test_link_.get()) {
        return test_->on_action(action);
    }
    if (const auto* traced = std::get_if<proto::Traced>(&action)) {
        around_.sink.traced({traced->what, traced->document});
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
    if (test_ && test_->ended()) {
        at->cookie = cookie;
        return;
    }
    const auto guest = at->link;
    guests_.erase(at);
    if (test_) {
        guest->tell(guest->session().turn_away());
        return see_off(guest);
    }
    begin_test(guest, cookie);
}

void Server::Impl::begin_test(std::shared_ptr<Link> link, const proto::Cookie& cookie)
{
    idle_timer_.cancel();
    test_link_ = link;
    test_ =
        std::make_unique<ServerTest>(around_, std::move(link), number_, [this] { on_test_over(); });
    test_->begin(cookie);
}

void Server::Impl::on_test_over()
{
    const bool counts = !test_->refused();
    test_.reset();
    test_link_.reset();
    if (stopping_ || (plan_.one_off && counts)) {
        return end(0);
    }
    around_.sink.listening(port_, ++number_);
    await_idle_timeout();
    const auto waiting = std::find_if(guests_.begin(), guests_.end(),
        [](const Guest& guest) { return guest.cookie.has_value(); });
    if (waiting != guests_.end()) {
        const Guest guest = *waiting;
        guests_.erase(waiting);
        begin_test(guest.link, *guest.cookie);
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
        around_.sink.warned(message);
    }
}

void Server::Impl::interrupt(int signal)
{
    if (std::exchange(stopping_, true)) {
        return end(0);  // the user is impatient
    }
    if (test_ && !test_->ended()) {
        return test_->interrupt(signal);
    }
    around_.sink.failed(interrupted(true, signal));
    around_.sink.finished(false);
    if (!test_) {
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
    PathWatch& watch, stats::ReportSink& sink, const auth::Gate* gate)
    : impl_{std::make_shared<Impl>(loop, plan, paths, watch, sink, gate)}
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
