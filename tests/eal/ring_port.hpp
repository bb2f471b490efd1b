#pragma once

// A port made of rings that a test fills and empties, one pair for each of two pollers.

#include "dpdkperf/engine/engine.hpp"
#include "eal_environment.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_mempool.h>
#include <rte_ring.h>

namespace dpdkperf::engine {

class RingPort : public testing::Test {
protected:
    static constexpr unsigned kQueues = 2;

    void SetUp() override
    {
        test_eal().run([&] {
            name_ = "rings" + std::to_string(next_++);
            for (unsigned q = 0; q < kQueues; ++q) {
                const std::string ring = name_ + "-" + std::to_string(q);
                rx_[q] = rte_ring_create((ring + "r").c_str(), 256, SOCKET_ID_ANY, 0);
                tx_[q] = rte_ring_create((ring + "t").c_str(), 256, SOCKET_ID_ANY, 0);
            }
            const int id =
                rte_eth_from_rings(name_.c_str(), rx_.data(), kQueues, tx_.data(), kQueues, 0);
            ASSERT_GE(id, 0);
            ports::PortPlan plan;
            plan.queue_pairs = kQueues;
            plan.pool_mbufs = 2047;
            plan.cache_mbufs = 64;
            auto port = ports::Port::configure(static_cast<std::uint16_t>(id), plan);
            ASSERT_TRUE(port) << port.error().message;
            ASSERT_TRUE(port->start());
            port_.emplace(*std::move(port));
        });
        available_ = free_mbufs();
        ASSERT_GE(test_eal().poller_lcores().size(), kQueues);
    }

    // What uses the port is gone.
    void TearDown() override
    {
        for (const auto& rings : {rx_, tx_}) {
            for (rte_ring* ring : rings) {
                while (rte_mbuf* mbuf = next_of(ring)) {
                    rte_pktmbuf_free(mbuf);
                }
            }
        }
        EXPECT_EQ(free_mbufs(), available_) << "mbufs were lost or doubled";
        test_eal().run([&] {
            port_.reset();
            for (unsigned q = 0; q < kQueues; ++q) {
                rte_ring_free(rx_[q]);
                rte_ring_free(tx_[q]);
            }
        });
    }

    // A poller for each queue.
    [[nodiscard]] std::vector<PollerSetup> pollers() const
    {
        std::vector<PollerSetup> all;
        for (unsigned q = 0; q < kQueues; ++q) {
            all.push_back({test_eal().poller_lcores()[q], {port_->queue_pairs()[q]}});
        }
        return all;
    }

    [[nodiscard]] rte_mempool* pool(unsigned queue) const
    {
        return port_->queue_pairs()[queue].pool;
    }
    [[nodiscard]] unsigned free_mbufs() const
    {
        return rte_mempool_avail_count(pool(0)) + rte_mempool_avail_count(pool(1));
    }

    static rte_mbuf* next_of(rte_ring* ring)
    {
        void* mbuf = nullptr;
        return rte_ring_dequeue(ring, &mbuf) == 0 ? static_cast<rte_mbuf*>(mbuf) : nullptr;
    }
    // What has left by a queue, if something has.
    [[nodiscard]] rte_mbuf* sent(unsigned queue) const { return next_of(tx_[queue]); }

    std::string name_;
    std::array<rte_ring*, kQueues> rx_{}, tx_{};
    std::optional<ports::Port> port_;

private:
    static inline int next_ = 0;
    unsigned available_ = 0;
};

}  // namespace dpdkperf::engine
