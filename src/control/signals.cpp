#include "dpdkperf/control/signals.hpp"

#include <csignal>

#include <asio/signal_set.hpp>

namespace dpdkperf::control {

class TerminationSignals::Impl {
public:
    Impl(asio::io_context& loop, std::function<void(int)> handler)
        : signals_{loop, SIGINT, SIGTERM, SIGHUP}, handler_{std::move(handler)}
    {
        wait();
    }

private:
    void wait()
    {
        signals_.async_wait([this](const asio::error_code& failed, int signal) {
            if (!failed) {
                handler_(signal);
                wait();
            }
        });
    }

    asio::signal_set signals_;
    std::function<void(int)> handler_;
};

TerminationSignals::TerminationSignals(asio::io_context& loop, std::function<void(int)> handler)
    : impl_{std::make_unique<Impl>(loop, std::move(handler))}
{
}

TerminationSignals::~TerminationSignals() = default;

}  // namespace dpdkperf::control
