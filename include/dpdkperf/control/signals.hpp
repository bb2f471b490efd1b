#pragma once

#include <functional>
#include <memory>

// NOLINTNEXTLINE(readability-identifier-naming): asio's name
namespace asio {
class io_context;
}

namespace dpdkperf::control {

// While it lives, SIGINT, SIGTERM and SIGHUP no longer kill the process but call `handler` on the
// thread of `loop`, each time.
class TerminationSignals {
public:
    TerminationSignals(asio::io_context& loop, std::function<void(int signal)> handler);
    TerminationSignals(const TerminationSignals&) = delete;
    TerminationSignals& operator=(const TerminationSignals&) = delete;
    ~TerminationSignals();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace dpdkperf::control
