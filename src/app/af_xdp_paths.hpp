#pragma once

#include "dpdkperf/capture/capture.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/drivers/af_xdp.hpp"
#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "path_worker.hpp"
#include "poller_place.hpp"
#include "privileges.hpp"

#include <chrono>
#include <memory>
#include <optional>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace dpdkperf::app {

// Finds the interface to a peer, opens it as an af_xdp port with an engine, and lets go of it when
// it has been idle for kIdle. Users at the same time share one interface, because a lcore has one
// poller. What may block happens on a thread of its own.
class AfXdpPaths final : public control::DataPaths {
public:
    static constexpr std::chrono::seconds kIdle{10};

    // `plan`, `keeper`, `privileges` and `loop` outlive this. Its thread has the privileges of the
    // caller. `capture` may be null.
    AfXdpPaths(asio::io_context& loop, host::Keeper& keeper, const options::Plan& plan,
        const Privileges& privileges, capture::Capture* capture);
    AfXdpPaths(const AfXdpPaths&) = delete;
    AfXdpPaths& operator=(const AfXdpPaths&) = delete;
    ~AfXdpPaths() override;

    [[nodiscard]] control::PathHold acquire(
        const control::PathRequest& request, Handler handler) override;
    Status settle() override { return privileges_.settle(); }

private:
    void release();
    // Worker thread. `alone`: nobody else uses the port.
    Result<control::DataPath> find(const control::PathRequest& request, bool alone);
    Status open(const host::Interface& interface);
    void close_port();

    // One at a time on the worker: all below is the worker's, except users_ and idle_.
    asio::io_context& loop_;
    host::Keeper& keeper_;
    const Privileges& privileges_;
    capture::Capture* const capture_;
    const options::Plan& plan_;
    std::optional<ports::Eal> eal_;
    PollerPlace place_;
    std::unique_ptr<drivers::AfXdpPort> port_;
    std::unique_ptr<traffic::Traffic> engine_;
    std::size_t pollers_ = 0;  // of engine_
    std::string port_text_;    // for --save
    Moment queues_free_at_{};

    std::size_t users_ = 0;
    asio::steady_timer idle_;
    PathWorker worker_;
};

}  // namespace dpdkperf::app
