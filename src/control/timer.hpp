#pragma once

#include "dpdkperf/base/time.hpp"

#include <functional>
#include <memory>
#include <utility>

#include <asio/steady_timer.hpp>

namespace dpdkperf::control {

// One pending call at a time. Unlike asio's timer, a call that was cancelled, replaced, or whose
// timer is gone never happens, even if it was due already: owners may capture `this`.
class Timer {
public:
    explicit Timer(asio::io_context& loop) : timer_{loop} {}

    void at(Moment when, std::function<void()> call)
    {
        const auto turn = ++*turn_;
        timer_.expires_at(when);
        timer_.async_wait([turn, current = std::weak_ptr{turn_}, call = std::move(call)](
                              const asio::error_code& failed) {
            const auto now = current.lock();
            if (!failed && now && *now == turn) {
                call();
            }
        });
    }

    void after(std::chrono::nanoseconds delay, std::function<void()> call)
    {
        at(Moment::clock::now() + delay, std::move(call));
    }

    void cancel()
    {
        ++*turn_;
        timer_.cancel();
    }

private:
    asio::steady_timer timer_;
    std::shared_ptr<std::uint64_t> turn_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace dpdkperf::control
