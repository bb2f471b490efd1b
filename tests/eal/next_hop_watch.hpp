#pragma once

// Whom a port's frames are for.

#include "dpdkperf/base/address.hpp"

#include <atomic>
#include <cstring>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

namespace dpdkperf::engine {

// Counts the frames that come to a port's first queue while it is there, in their order. Its poller
// sleeps before it goes. Those that leave are offered again if the driver does not take them.
class NextHopWatch {
public:
    NextHopWatch(std::uint16_t port, const Mac& hop)
        : port_{port}, hop_{hop}, callback_{rte_eth_add_rx_callback(port, 0, look, this)}
    {
    }
    NextHopWatch(const NextHopWatch&) = delete;
    NextHopWatch& operator=(const NextHopWatch&) = delete;
    ~NextHopWatch() { rte_eth_remove_rx_callback(port_, 0, callback_); }

    // For `hop`, and for others after the first of these.
    std::atomic<std::uint64_t> fresh{0}, stale{0};

private:
    static std::uint16_t look(std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count,
        std::uint16_t, void* self)
    {
        auto& watch = *static_cast<NextHopWatch*>(self);
        for (std::uint16_t i = 0; i < count; ++i) {
            const auto* const frame = rte_pktmbuf_mtod(mbufs[i], const std::byte*);
            if (std::memcmp(frame, watch.hop_.bytes.data(), watch.hop_.bytes.size()) == 0) {
                ++watch.fresh;
            } else if (watch.fresh > 0) {
                ++watch.stale;
            }
        }
        return count;
    }

    std::uint16_t port_;
    Mac hop_;
    const rte_eth_rxtx_callback* callback_;
};

}  // namespace dpdkperf::engine
