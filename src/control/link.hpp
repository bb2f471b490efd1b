#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/proto/session.hpp"
#include "timer.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <asio/ip/tcp.hpp>

namespace dpdkperf::control {

// A control connection and the conversation on it: carries bytes between the two, keeps the
// conversation's deadlines, and hands every other action to its owner. Shared with the handlers
// of pending reads and writes.
class Link : public std::enable_shared_from_this<Link> {
public:
    // Gets every action but Send. May call tell() and close().
    using Handler = std::function<void(const proto::Action&)>;

    // `socket`: prepared, see sockets.hpp.
    static std::shared_ptr<Link> make(
        asio::io_context& loop, asio::ip::tcp::socket socket, proto::Session session);

    void start(Handler handler);

    // Carries out what a local event of session() has brought about.
    void tell(const proto::Actions& actions);

    // No more actions come from now on. What was said is still sent; then the connection is closed
    // in order, which an iperf3 from 3.21 on waits for, but within a second. `closed` may be empty.
    void close(std::function<void()> closed);

    // Closes at once, whatever has not been sent or heard.
    void abort() { end(); }

    [[nodiscard]] proto::Session& session() { return session_; }
    [[nodiscard]] const Endpoint& local() const { return local_; }
    [[nodiscard]] const Endpoint& remote() const { return remote_; }
    // The interface of link-local addresses; empty for others.
    [[nodiscard]] const std::optional<std::string>& scope() const { return scope_; }

private:
    Link(asio::io_context& loop, asio::ip::tcp::socket socket, proto::Session session);

    void hand_over(const proto::Action& action);
    void read();
    void on_read(const asio::error_code& failed, std::size_t bytes);
    void write();
    void arm();
    void on_deadline();
    void shut();
    void end();

    asio::ip::tcp::socket socket_;
    proto::Session session_;
    Handler handler_;
    Endpoint local_, remote_;
    std::optional<std::string> scope_;
    std::array<std::byte, 16384> buffer_{};
    std::deque<std::vector<std::byte>> outgoing_;
    std::optional<proto::Action> after_writing_;  // once outgoing_ is empty
    Timer timer_;
    std::uint32_t stage_ = ~std::uint32_t{0};
    Moment stage_since_, heard_;
    bool writing_ = false;
    bool closing_ = false;
    bool reading_ = false;
    bool peer_closed_ = false;
    std::function<void()> closed_;
};

}  // namespace dpdkperf::control
