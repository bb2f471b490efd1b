#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/ports/pinned_buffers.hpp"
#include "dpdkperf/ports/port_plan.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct rte_mempool;

namespace dpdkperf::ports {

// One RX and one TX queue, polled by one lcore, and the pool of both.
struct QueuePair {
    std::uint16_t port_id = 0;
    std::uint16_t queue_id = 0;
    std::uint16_t device_queue = 0;  // as the device counts its RX queues: what RSS names
    rte_mempool* pool = nullptr;     // owned by the Port
    std::uint16_t burst = 64;        // packets of one RX or TX call, at most kMostBurst
    // Payload for chains of mbufs, shared by the queues of the Port, which owns it. Null: the
    // driver takes none.
    const PinnedBuffers* pinned = nullptr;
    std::uint16_t chain_burst = 64;  // packets of one TX call that may carry chains
    bool tso = false;                // TX takes TCP segments of many packets, in chains
};

// A configured port with its pools. Stops and closes itself, then frees the pools; mbufs of them
// must be back by then, and how many are not is an error on DPDK's log. Set-up thread: Eal::run().
class Port {
public:
    // Configures port `port_id` with all of the plan, its queues and pools, and does not start it.
    // Errors, kDevice: what check_plan() finds, what the driver refuses, no memory; each names the
    // port, what was asked for and, where known, the limit.
    static Result<Port> configure(std::uint16_t port_id, const PortPlan& plan);
    Port(Port&& other) noexcept;
    Port& operator=(Port&& other) noexcept;
    ~Port();

    // Starts the port, then lets multicast or everything in if the plan says so. Waits for no link.
    Status start();
    // Once it is started, and before a poller uses it: what the driver refuses of TX
    // (self_check.hpp) the queue pairs do not claim any more, and `plan` says so.
    void check_itself(PortPlan& plan);

    [[nodiscard]] std::uint16_t id() const { return id_; }
    [[nodiscard]] const std::vector<QueuePair>& queue_pairs() const { return pairs_; }
    [[nodiscard]] Mac mac() const;
    [[nodiscard]] std::string driver() const;

private:
    // What comes in besides packets to the port's own address; applied by start().
    struct Filter {
        bool promiscuous = false;
        bool all_multicast = false;
    };

    explicit Port(std::uint16_t id) : id_{id} {}
    [[nodiscard]] Status set_mtu(std::uint32_t mtu_bytes) const;
    [[nodiscard]] Status set_filter() const;
    Status make_pinned(const PortPlan& plan);
    Status set_up_queue(std::uint16_t queue, const PortPlan& plan);
    void close() noexcept;

    struct FreePool {
        void operator()(rte_mempool* pool) const noexcept;
    };
    std::uint16_t id_ = 0;
    Filter filter_;
    std::uint32_t kept_mbufs_ = 0;
    bool open_ = true;
    bool started_ = false;
    std::vector<std::unique_ptr<rte_mempool, FreePool>> pools_;
    std::unique_ptr<PinnedBuffers> pinned_;
    std::vector<QueuePair> pairs_;
};

}  // namespace dpdkperf::ports
