#include "link.hpp"

#include "sockets.hpp"

#include <algorithm>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/write.hpp>

namespace dpdkperf::control {

namespace {

using namespace std::chrono_literals;

// How long a peer may take to close its side after the end.
constexpr auto kLinger = 1s;

}  // namespace

std::shared_ptr<Link> Link::make(
    asio::io_context& loop, asio::ip::tcp::socket socket, proto::Session session)
{
    return std::shared_ptr<Link>{new Link{loop, std::move(socket), std::move(session)}};
}

Link::Link(asio::io_context& loop, asio::ip::tcp::socket socket, proto::Session session)
    : socket_{std::move(socket)},
      session_{std::move(session)},
      local_{local_of(socket_)},
      remote_{remote_of(socket_)},
      scope_{scope_of(socket_)},
      timer_{loop},
      heard_{Moment::clock::now()}
{
}

void Link::start(Handler handler)
{
    handler_ = std::move(handler);
    read();
    tell(session_.start());
}

void Link::tell(const proto::Actions& actions)
{
    const auto self = shared_from_this();
    for (const proto::Action& action : actions) {
        if (const auto* send = std::get_if<proto::Send>(&action)) {
            outgoing_.push_back(send->bytes);
            write();
        } else if (std::holds_alternative<proto::StartTraffic>(action) && !outgoing_.empty()) {
            after_writing_ = action;  // no datagram may leave before TEST_RUNNING has
        } else {
            hand_over(action);
        }
    }
    arm();
}

void Link::hand_over(const proto::Action& action)
{
    if (const Handler handler = handler_) {  // a copy: the handler itself may take it away
        handler(action);
    }
}

void Link::read()
{
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(buffer_), [self = shared_from_this()](const asio::error_code& failed,
                                   std::size_t bytes) { self->on_read(failed, bytes); });
}

void Link::on_read(const asio::error_code& failed, std::size_t bytes)
{
    reading_ = false;
    if (closing_) {
        // What comes after the end is of no interest, only that the peer has closed, too.
        peer_closed_ = static_cast<bool>(failed);
        peer_closed_ ? write() : read();
        return;
    }
    if (failed) {
        return tell(session_.closed());
    }
    heard_ = Moment::clock::now();
    tell(session_.feed(std::span{buffer_}.first(bytes)));
    if (!reading_ && socket_.is_open()) {
        read();
    }
}

void Link::write()
{
    if (writing_ || !socket_.is_open()) {
        return;
    }
    if (outgoing_.empty()) {
        if (closing_) {
            peer_closed_ ? end() : shut();
        }
        return;
    }
    writing_ = true;
    asio::async_write(socket_, asio::buffer(outgoing_.front()),
        [self = shared_from_this()](const asio::error_code& failed, std::size_t) {
            self->writing_ = false;
            if (failed) {
                // The reader sees the end of the connection and reports it.
                self->outgoing_.clear();
            } else if (!self->outgoing_.empty()) {
                self->outgoing_.pop_front();
            }
            if (self->outgoing_.empty() && self->after_writing_) {
                self->hand_over(*std::exchange(self->after_writing_, std::nullopt));
            }
            self->write();
        });
}

void Link::arm()
{
    if (closing_) {
        return;
    }
    const auto deadline = session_.deadline();
    if (!deadline) {
        stage_ = ~std::uint32_t{0};
        return timer_.cancel();
    }
    if (deadline->stage != stage_) {
        stage_ = deadline->stage;
        stage_since_ = Moment::clock::now();
    }
    const Moment quiet = std::max(heard_, stage_since_) + deadline->quiet;
    timer_.at(std::min(quiet, stage_since_ + deadline->total), [this] { on_deadline(); });
}

void Link::on_deadline()
{
    tell(session_.expired());
}

void Link::close(std::function<void()> closed)
{
    if (closing_) {
        return;
    }
    closing_ = true;
    handler_ = nullptr;
    closed_ = std::move(closed);
    timer_.after(kLinger, [self = shared_from_this()] { self->end(); });
    if (!reading_ && socket_.is_open()) {
        read();
    }
    write();
}

void Link::shut()
{
    asio::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Link::end()
{
    if (!socket_.is_open()) {
        return;
    }
    const auto self = shared_from_this();
    asio::error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    if (const auto closed = std::exchange(closed_, nullptr)) {
        closed();
    }
}

}  // namespace dpdkperf::control
