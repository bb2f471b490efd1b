#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/impair/delay_line.hpp"
#include "dpdkperf/impair/plan.hpp"
#include "dpdkperf/ports/port.hpp"
#include "dpdkperf/stats/counters.hpp"
#include "dpdkperf/stats/impaired.hpp"
#include "tag.hpp"

#include <array>
#include <cstdint>
#include <optional>

#include <rte_mbuf.h>

namespace dpdkperf::engine {

// A bad link between a poller and one of its queues (--impair). Packets that are late wait here
// and belong to it. One thread, but for counts().
class ImpairedLine {
public:
    // Packets that may wait in either direction. They are the pool's: with more of them its rings
    // would starve.
    static constexpr std::size_t kMostWaiting = 1024;

    // The decisions depend on the seed and on `number`, which no other line has. Whatever way a
    // packet goes, its mbuf holds nothing of ours afterwards that its tag does not tell.
    ImpairedLine(const impair::Plan& plan, std::uint64_t number, const TagField& tags);
    ImpairedLine(const ImpairedLine&) = delete;
    ImpairedLine& operator=(const ImpairedLine&) = delete;
    ~ImpairedLine();

    // As rte_eth_rx_burst() and rte_eth_tx_burst(): what transmit() counts belongs to the line,
    // the rest is to be offered again.
    std::uint16_t receive(const ports::QueuePair& queue, rte_mbuf** mbufs) noexcept;
    std::uint16_t transmit(
        const ports::QueuePair& queue, rte_mbuf** mbufs, std::uint16_t count) noexcept;

    // Hands what is due to the port. False: nothing waits to be transmitted any more.
    bool flush(const ports::QueuePair& queue) noexcept;
    // What has come and waits is lost: nobody will ask for it.
    void forget_received() noexcept;

    // Any thread. So far, since the line is there.
    [[nodiscard]] stats::ImpairedPackets transmitted() const noexcept;
    [[nodiscard]] stats::ImpairedPackets received() const noexcept;

private:
    struct Way {
        Way(const std::optional<impair::Settings>& chosen, std::uint64_t seed)
            : settings{chosen.value_or(impair::Settings{})}, impairment{seed}
        {
        }
        [[nodiscard]] stats::ImpairedPackets counts() const noexcept;

        const impair::Settings settings;
        impair::Impairment impairment;
        impair::DelayLine<rte_mbuf*> waiting{kMostWaiting};
        stats::SingleWriterCounter lost, twice, reordered, overflown;
    };

    bool leave(const ports::QueuePair& queue) noexcept;
    bool passes(Way& way, rte_mbuf* mbuf, std::uint64_t now, rte_mempool* pool) noexcept;
    [[nodiscard]] rte_mbuf* copy_of(const rte_mbuf& mbuf, rte_mempool* pool) const noexcept;
    static void hold(Way& way, rte_mbuf* mbuf, std::uint64_t now, nanoseconds delay) noexcept;

    const TagField tags_;
    Way transmit_, receive_;
    // On their way to the port, which has not taken them yet.
    std::array<rte_mbuf*, ports::kMostBurst> leaving_{};
    std::uint16_t leaving_begin_ = 0, leaving_end_ = 0;
};

}  // namespace dpdkperf::engine
