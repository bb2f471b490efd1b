#pragma once

#include "dpdkperf/ports/port.hpp"
#include "impaired_line.hpp"

#include <cstdint>

#include <rte_ethdev.h>

namespace dpdkperf::engine {

// A queue pair as its poller uses it: at the port, or at the end of a bad link.
struct PollerQueue : ports::QueuePair {
    ImpairedLine* line = nullptr;  // with --impair; the poller owns it

    // As rte_eth_rx_burst(), of at most `burst` packets.
    std::uint16_t receive(rte_mbuf** mbufs) const noexcept
    {
        if (line != nullptr) [[unlikely]] {
            return line->receive(*this, mbufs);
        }
        return rte_eth_rx_burst(port_id, queue_id, mbufs, burst);
    }
    // As rte_eth_tx_burst().
    std::uint16_t transmit(rte_mbuf** mbufs, std::uint16_t count) const noexcept
    {
        if (line != nullptr) [[unlikely]] {
            return line->transmit(*this, mbufs, count);
        }
        return rte_eth_tx_burst(port_id, queue_id, mbufs, count);
    }
};

}  // namespace dpdkperf::engine
