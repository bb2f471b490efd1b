#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/host/steering.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace dpdkperf::control {

// Between which addresses a test is to run.
struct PathRequest {
    IpAddress remote;
    std::optional<IpAddress> local;            // -B, or where the control connection has arrived
    std::optional<std::string> device;         // --bind-dev
    std::chrono::milliseconds patience{3000};  // with a neighbour that does not answer
    // Where the poller is to run, if there is one and the user has not said: a client's wish.
    std::optional<unsigned> cpu = std::nullopt;
};

// A port that is up and reaches the peer. The pointers are the app's, never null, and good as long
// as its PathHold.
struct DataPath {
    traffic::Traffic* traffic = nullptr;
    host::Steering* steering = nullptr;
    std::string interface;                             // as the user knows it: "eth0"
    std::string driver;                                // as DPDK knows it: "net_af_xdp"
    std::optional<BitRate> link_speed = std::nullopt;  // none: the driver makes it up
    std::uint32_t interface_index = 0;
    PathRequest asked{};  // that the kernel's route, and so the next hop, answers
    Mac next_hop;
    IpAddress next_hop_address;
    IpAddress local;
    std::uint32_t streams = 1;  // of a client that was not told how many: one for each poller
                                // that the user has asked for
    std::string plan{};         // of the port, as --dry-run prints it; empty: nobody wants it
};

// A user's hold on a path, or on waiting for one. Whoever gave it sees by it that the user is still
// there, so it is shared, and the user's copy the only one that lasts.
using PathHold = std::shared_ptr<void>;

// Where control gets its ports from. Main thread only. Several users share a port.
class DataPaths {
public:
    using Handler = std::function<void(Result<DataPath>)>;

    DataPaths() = default;
    DataPaths(const DataPaths&) = delete;
    DataPaths& operator=(const DataPaths&) = delete;
    virtual ~DataPaths() = default;

    // Opens the port towards request.remote, or takes the one that is still open. `handler` is
    // called once on the event loop, never from within acquire(); a real port may take seconds.
    // When the hold is gone, the user is done with the path, or with waiting for it: no handler is
    // called any more. The port may stay open for a while. This outlives all holds.
    [[nodiscard]] virtual PathHold acquire(const PathRequest& request, Handler handler) = 0;

    // The test runs over the path that was acquired last, and there will be no other: what only
    // acquire() needs can be let go of. Errors: it could not be.
    virtual Status settle() = 0;
};

}  // namespace dpdkperf::control
