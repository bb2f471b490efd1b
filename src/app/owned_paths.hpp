#pragma once

#include "dpdkperf/capture/capture.hpp"
#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/drivers/kernel_twin.hpp"
#include "dpdkperf/drivers/owned.hpp"
#include "dpdkperf/engine/engine.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/host/steering.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "path_worker.hpp"
#include "poller_place.hpp"
#include "privileges.hpp"

#include <memory>
#include <string>

#include <asio/io_context.hpp>

namespace dpdkperf::app {

// The one path of a port that DPDK owns. Port, kernel twin and pollers are there from the
// beginning to the end, because the control connection needs them.
class OwnedPaths final : public control::DataPaths {
public:
    // `plan`, `keeper`, `privileges`, `loop` and `capture`, which may be null, outlive this; the
    // keeper is sealed. Main thread.
    // Errors: what EAL, the port and the twin refuse; kUsage if the port gets no address.
    static Result<std::unique_ptr<OwnedPaths>> open(asio::io_context& loop, host::Keeper& keeper,
        const options::Plan& plan, const Privileges& privileges, capture::Capture* capture);
    OwnedPaths(const OwnedPaths&) = delete;
    OwnedPaths& operator=(const OwnedPaths&) = delete;
    ~OwnedPaths() override;

    [[nodiscard]] control::PathHold acquire(
        const control::PathRequest& request, Handler handler) override;
    Status settle() override { return privileges_.settle(); }

    // The kernel interface that the control connection uses.
    [[nodiscard]] const std::string& twin() const { return twin_->tap().name(); }

private:
    OwnedPaths(asio::io_context& loop, const options::Plan& plan, const Privileges& privileges,
        capture::Capture* capture, ports::Eal eal);
    Status open_port();
    Status open_twin();
    Status create_engine();
    // Worker thread.
    Result<control::DataPath> find(control::PathRequest request);
    Status add_host_route(const IpAddress& remote);

    // The pollers see every packet and know their flows: there is nobody to tell.
    class NoSteering final : public host::Steering {
    public:
        Status claim_flow(IpProtocol, const Endpoint&, const Endpoint&) override { return {}; }
        void release_flow(IpProtocol, const Endpoint&, const Endpoint&) override {}
        Status claim_peer(IpProtocol, const Endpoint&, const IpAddress&) override { return {}; }
        void release_peer(IpProtocol, const Endpoint&, const IpAddress&) override {}
        void heartbeat() override {}
        [[nodiscard]] Stray stray() const override { return {}; }
    };

    const options::Plan& plan_;
    const Privileges& privileges_;
    capture::Capture* const capture_;
    ports::Eal eal_;
    std::unique_ptr<drivers::OwnedPort> port_;
    std::unique_ptr<drivers::KernelTwin> twin_;
    std::unique_ptr<traffic::Traffic> engine_;
    NoSteering steering_;
    PollerPlace place_;
    PathWorker worker_;
};

}  // namespace dpdkperf::app
