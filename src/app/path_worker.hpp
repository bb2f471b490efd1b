#pragma once

#include "dpdkperf/control/data_path.hpp"

#include <functional>
#include <memory>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

namespace dpdkperf::app {

// Finds paths on a thread of its own, because that may block, and answers on the event loop. One
// thing at a time. Main thread only, but for the work itself.
class PathWorker {
public:
    explicit PathWorker(asio::io_context& loop) : loop_{loop} {}

    // Runs `find` and hands its result to `handler`, on the loop, unless `user` is gone by then.
    void ask(std::function<Result<control::DataPath>()> find, std::weak_ptr<void> user,
        control::DataPaths::Handler handler);
    void run(std::function<void()> work);

    // Waits for what is under way. Nothing may be asked for afterwards.
    void join() { thread_.join(); }

private:
    asio::io_context& loop_;
    asio::thread_pool thread_{1};
};

}  // namespace dpdkperf::app
