#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct rte_mempool;
struct rte_eth_dev_info;

namespace dpdkperf::ports {

// All that is told to DPDK about a port. Computed before the port is touched.
struct PortPlan {
    std::uint16_t queue_pairs = 1;
    std::uint16_t rx_descriptors = 1024;
    std::uint16_t tx_descriptors = 1024;
    std::uint32_t pool_mbufs = 8191;       // per queue pair
    std::uint32_t cache_mbufs = 512;       // per lcore
    std::uint16_t data_room_bytes = 2048;  // of an mbuf, behind the headroom
    std::uint64_t tx_offloads = 0;
    int numa_node = -1;
};

struct PortRequest {
    std::uint16_t queue_pairs = 1;
    std::uint32_t mtu_bytes = 1500;
    bool transmits_only = false;  // no RX ring to be kept filled
};

// A pure function: no port is touched.
PortPlan plan_for(const PortRequest& request, const rte_eth_dev_info& device);

// One RX and one TX queue, polled by one lcore, and the pool of both.
struct QueuePair {
    std::uint16_t port_id = 0;
    std::uint16_t queue_id = 0;
    rte_mempool* pool = nullptr;  // owned by the Port
};

// A configured port with its pools. Stops and closes itself, then frees the pools; mbufs of them
// must be back by then. Set-up thread: Eal::run().
class Port {
public:
    // Configures port `port_id` with its queues and pools, and does not start it.
    // Errors: what the driver refuses, named with the port and the numbers asked for; no memory.
    static Result<Port> configure(std::uint16_t port_id, const PortPlan& plan);
    Port(Port&& other) noexcept;
    Port& operator=(Port&& other) noexcept;
    ~Port();

    Status start();

    [[nodiscard]] std::uint16_t id() const { return id_; }
    [[nodiscard]] const std::vector<QueuePair>& queue_pairs() const { return pairs_; }
    [[nodiscard]] Mac mac() const;
    [[nodiscard]] std::string driver() const;

private:
    explicit Port(std::uint16_t id) : id_{id} {}
    Status set_up_queue(std::uint16_t queue, const PortPlan& plan);
    void close() noexcept;

    struct FreePool {
        void operator()(rte_mempool* pool) const noexcept;
    };
    std::uint16_t id_ = 0;
    bool open_ = true;
    bool started_ = false;
    std::vector<std::unique_ptr<rte_mempool, FreePool>> pools_;
    std::vector<QueuePair> pairs_;
};

}  // namespace dpdkperf::ports
