#include "approach.hpp"

#include "settings.hpp"
#include "sockets.hpp"

#include <cerrno>
#include <utility>

namespace dpdkperf::control {

namespace {

using asio::ip::tcp;
using proto::IperfError;

std::string words(IperfError number, int error, std::string detail = {})
{
    return to_string(proto::Failure{number, error, std::move(detail)});
}

}  // namespace

std::shared_ptr<Approach> Approach::make(asio::io_context& loop, const options::Plan& plan,
    const std::optional<IpAddress>& local, DataPaths& paths, Events events)
{
    return std::shared_ptr<Approach>{new Approach{loop, plan, local, paths, std::move(events)}};
}

Approach::Approach(asio::io_context& loop, const options::Plan& plan,
    const std::optional<IpAddress>& local, DataPaths& paths, Events events)
    : plan_{plan},
      local_{local},
      paths_{paths},
      events_{std::move(events)},
      resolver_{loop},
      socket_{loop},
      timer_{loop},
      patience_{plan.wait, Moment::clock::now()}
{
}

void Approach::begin()
{
    if (const auto address = IpAddress::parse(plan_.host)) {
        addresses_.push_back(*address);
        return try_next();
    }
    const auto on_resolved = [weak = weak_from_this()](const asio::error_code& failed,
                                 const tcp::resolver::results_type& results) {
        const auto self = weak.lock();
        if (!self || self->cancelled_) {
            return;
        }
        if (failed) {
            return self->fail("unable to connect to server: cannot find host '" + self->plan_.host +
                              "': " + failed.message());
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
    const tcp family = plan_.family == options::Family::kIpv6 ? tcp::v6() : tcp::v4();
    resolver_.async_resolve(family, plan_.host, port, on_resolved);
}

bool Approach::fits(const IpAddress& address) const
{
    const bool v4 = address.is_v4();
    const bool wanted =
        plan_.family == options::Family::kAny || v4 == (plan_.family == options::Family::kIpv4);
    return wanted && (!local_ || local_->is_v4() == v4);
}

// Addresses of the wrong family are passed over.
void Approach::try_next()
{
    while (next_address_ < addresses_.size() && !fits(addresses_[next_address_])) {
        ++next_address_;
    }
    if (next_address_ == addresses_.size()) {
        if (may_pass_ && try_later(first_error_->message)) {
            return;
        }
        return fail(first_error_ ? first_error_->message
                                 : "unable to connect to server: '" + plan_.host +
                                       "' has no address of the family asked for");
    }
    PathRequest request{addresses_[next_address_], local_, plan_.bind_device};
    request.patience = plan_.connect_timeout.value_or(request.patience);
    path_hold_ = paths_.acquire(request, [weak = weak_from_this()](Result<DataPath> path) {
        if (const auto self = weak.lock(); self && !self->cancelled_) {
            self->on_path(std::move(path));
        }
    });
}

void Approach::on_path(Result<DataPath> path)
{
    if (!path) {
        return give_up_address(std::move(path).error());
    }
    if (const auto objection = check(*path)) {
        return fail(*objection);
    }
    path_ = std::move(*path);
    connect();
}

// Why the test that is asked for cannot run over this path; empty if it can.
std::optional<std::string> Approach::check(const DataPath& path) const
{
    const bool v4 = addresses_[next_address_].is_v4();
    if (plan_.flow_label != 0 && v4) {
        return words(IperfError::kSetFlowLabel, 0, "the test runs over IPv4");
    }
    if (plan_.protocol == options::Protocol::kUdp) {
        const auto most = path.traffic->max_datagram(v4);
        if (const auto failure =
                check_datagram(plan_.block_bytes.value_or(0), most, path.interface)) {
            return to_string(*failure);
        }
    }
    return {};
}

void Approach::connect()
{
    const Endpoint server{addresses_[next_address_], plan_.port};
    const auto endpoint = to_asio(server, path_->interface_index);
    asio::error_code failed;
    socket_.close(failed);
    socket_.open(endpoint.protocol(), failed);
    if (!failed && plan_.bind_device) {
        if (auto bound = bind_to_device(socket_.native_handle(), *plan_.bind_device); !bound) {
            return fail(bound.error().message);
        }
    }
    // From the address that the data comes from: servers take datagrams of the control peer only.
    socket_.bind(to_asio({path_->local, 0}, path_->interface_index), failed);
    if (failed) {
        return give_up_address(
            {Errc::kSystem, words(IperfError::kConnect, failed.value(), to_string(path_->local))});
    }
    if (const auto longest = patience_.of_connection(plan_.connect_timeout, Moment::clock::now())) {
        timer_.after(*longest, [this] {
            asio::error_code ignored;
            socket_.close(ignored);
            give_up_address({Errc::kTimeout, words(IperfError::kConnect, ETIMEDOUT)});
        });
    }
    socket_.async_connect(endpoint, [weak = weak_from_this()](const asio::error_code& result) {
        const auto self = weak.lock();
        const bool given_up = result == asio::error::operation_aborted;
        if (self && !self->cancelled_ && !given_up) {
            self->on_connected(result);
        }
    });
}

void Approach::on_connected(const asio::error_code& failed)
{
    timer_.cancel();
    if (failed) {
        return give_up_address({Errc::kPeer, words(IperfError::kConnect, failed.value())});
    }
    Arrival arrival{std::move(socket_), addresses_[next_address_], *std::move(path_),
        std::exchange(path_hold_, nullptr)};
    path_.reset();
    events_.arrived(std::move(arrival));
}

void Approach::give_up_address(Error why)
{
    leave_path();
    may_pass_ = may_pass_ || may_pass(why);
    if (!first_error_) {
        first_error_ = std::move(why);
    }
    ++next_address_;
    try_next();
}

void Approach::leave_path()
{
    path_hold_.reset();
    path_.reset();
}

// Begins anew with the first address.
bool Approach::try_later(const std::string& why)
{
    const auto when = patience_.next_try(Moment::clock::now());
    if (!when) {
        return false;
    }
    if (!std::exchange(waiting_, true)) {
        events_.waiting(why);
    }
    next_address_ = 0;
    first_error_.reset();
    may_pass_ = false;
    timer_.at(*when, [this] { try_next(); });
    return true;
}

void Approach::fail(const std::string& why)
{
    cancel();
    events_.failed(why);
}

void Approach::cancel()
{
    cancelled_ = true;
    leave_path();
    timer_.cancel();
    resolver_.cancel();
    asio::error_code ignored;
    socket_.close(ignored);
}

}  // namespace dpdkperf::control
