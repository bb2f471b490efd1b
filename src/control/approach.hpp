#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/options/plan.hpp"
#include "patience.hpp"
#include "timer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

namespace dpdkperf::control {

// A client's way to its server: takes the first of the server's addresses that there is a path to
// and that answers. Made by make(); events come from the event loop, and none after cancel().
class Approach : public std::enable_shared_from_this<Approach> {
public:
    struct Arrival {
        asio::ip::tcp::socket socket;  // connected, from the address that the data comes from
        IpAddress server;
        DataPath path;
        PathHold path_hold;
    };
    struct Events {
        std::function<void(Arrival)> arrived;
        std::function<void(const std::string& why)> failed;   // and will not be tried again
        std::function<void(const std::string& why)> waiting;  // --wait: from now on, said once
    };

    // `local`: the address that -B asks for. Plan and paths outlive it.
    static std::shared_ptr<Approach> make(asio::io_context& loop, const options::Plan& plan,
        const std::optional<IpAddress>& local, DataPaths& paths, Events events);
    Approach(const Approach&) = delete;
    Approach& operator=(const Approach&) = delete;
    ~Approach() = default;

    void begin();

    // The server that was reached is not ready to serve: tries again after a while, unless the user
    // has waited long enough, which is false. The caller lets go of what has arrived.
    [[nodiscard]] bool try_later(const std::string& why);

    void cancel();

private:
    Approach(asio::io_context& loop, const options::Plan& plan,
        const std::optional<IpAddress>& local, DataPaths& paths, Events events);

    void try_next();
    [[nodiscard]] bool fits(const IpAddress& address) const;
    void on_path(Result<DataPath> path);
    [[nodiscard]] std::optional<std::string> check(const DataPath& path) const;
    void connect();
    void on_connected(const asio::error_code& failed);
    void give_up_address(Error why);
    void leave_path();
    void fail(const std::string& why);

    const options::Plan& plan_;
    std::optional<IpAddress> local_;
    DataPaths& paths_;
    Events events_;
    asio::ip::tcp::resolver resolver_;
    asio::ip::tcp::socket socket_;
    Timer timer_;
    Patience patience_;
    std::vector<IpAddress> addresses_;  // of the server, in the order in which they are tried
    std::size_t next_address_ = 0;
    std::optional<Error> first_error_;  // of this round through the addresses
    bool may_pass_ = false;             // one of its errors
    bool waiting_ = false, cancelled_ = false;
    std::optional<DataPath> path_;
    PathHold path_hold_;
};

}  // namespace dpdkperf::control
