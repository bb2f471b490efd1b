#pragma once

#include "captured.hpp"
#include "dpdkperf/ports/port.hpp"
#include "impaired_line.hpp"

#include <cstdint>

#include <rte_ethdev.h>

namespace dpdkperf::engine {

// A queue pair as its poller uses it: at the port, or at the end of a bad link.
struct PollerQueue : ports::QueuePair {
    ImpairedLine* line = nullptr;  // with --impair; the poller owns it
    Captured* captured = nullptr;  // with --pcap; the poller owns it

    // As rte_eth_rx_burst(), of at most `burst` packets.
    std::uint16_t receive(rte_mbuf** mbufs) const noexcept
    {
        if (line != nullptr) [[unlikely]] {
            return line->receive(*this, mbufs);
        }
        return rte_eth_rx_burst(port_id, queue_id, mbufs, burst);
    }
    // As rte_eth_tx_burst(), of frames of streams.
    std::uint16_t transmit(rte_mbuf** mbufs, std::uint16_t count) const noexcept
    {
        if (captured != nullptr) [[unlikely]] {
            captured->offered({mbufs, count});
            const std::uint16_t taken = transmit_unseen(mbufs, count);
            captured->taken(taken);
            return taken;
        }
        return transmit_unseen(mbufs, count);
    }
    // Of other frames, which are not captured.
    std::uint16_t transmit_unseen(rte_mbuf** mbufs, std::uint16_t count) const noexcept
    {
        if (line != nullptr) [[unlikely]] {
            return line->transmit(*this, mbufs, count);
        }
        return rte_eth_tx_burst(port_id, queue_id, mbufs, count);
    }
};

}  // namespace dpdkperf::engine
