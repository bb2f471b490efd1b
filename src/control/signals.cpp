#include "dpdkperf/control/signals.hpp"

#include <csignal>

#include <asio/signal_set.hpp>

namespace dpdkperf::control {

class TerminationSignals::Impl {
public:
    Impl(asio::io_context& loop, std::function<void(int)> handler)
        : signals_{loop, SIGINT, SIGTERM, SIGHUP},
          handler_{std::make_shared<std::function<void(int)>>(std::move(handler))}
    {
        wait();
    }

private:
    void wait()
    {
        // The weak pointer tells a call that is still due that this object is gone.
        signals_.async_wait(
            [this, weak = std::weak_ptr{handler_}](const asio::error_code& failed, int signal) {
                if (const auto handler = weak.lock(); handler && !failed) {
                    wait();
                    (*handler)(signal);
                }
            });
    }

    asio::signal_set signals_;
    std::shared_ptr<std::function<void(int)>> handler_;
};

TerminationSignals::TerminationSignals(asio::io_context& loop, std::function<void(int)> handler)
    : impl_{std::make_unique<Impl>(loop, std::move(handler))}
{
}

TerminationSignals::~TerminationSignals() = default;

}  // namespace dpdkperf::control
