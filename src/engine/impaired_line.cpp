#include "impaired_line.hpp"

#include <algorithm>

#include <rte_cycles.h>
#include <rte_ethdev.h>

namespace dpdkperf::engine {

namespace {

std::uint64_t ticks(nanoseconds time) noexcept
{
    return static_cast<std::uint64_t>(
        static_cast<double>(time.count()) * static_cast<double>(rte_get_tsc_hz()) / 1e9);
}

}  // namespace

ImpairedLine::ImpairedLine(const impair::Plan& plan, std::uint64_t number, const TagField& tags)
    : tags_{tags},
      transmit_{plan.transmit, plan.seed + 2 * number},
      receive_{plan.receive, plan.seed + 2 * number + 1}
{
}

ImpairedLine::~ImpairedLine()
{
    forget_received();
    rte_pktmbuf_free_bulk(&leaving_[leaving_begin_], leaving_end_ - leaving_begin_);
    while (!transmit_.waiting.empty()) {
        rte_pktmbuf_free(transmit_.waiting.pop());
    }
}

std::uint16_t ImpairedLine::receive(const ports::QueuePair& queue, rte_mbuf** mbufs) noexcept
{
    const std::uint64_t now = rte_rdtsc();
    std::uint16_t count = 0;
    while (count < queue.burst && receive_.waiting.due(now)) {
        mbufs[count++] = receive_.waiting.pop();
    }
    std::array<rte_mbuf*, ports::kMostBurst> come;
    const auto n = rte_eth_rx_burst(queue.port_id, queue.queue_id, come.data(),
        static_cast<std::uint16_t>(queue.burst - count));
    for (std::uint16_t i = 0; i < n; ++i) {
        tags_.of(*come[i]) = 0;  // whatever we had written is gone, also if nobody sees the packet
        if (passes(receive_, come[i], now, queue.pool)) {
            mbufs[count++] = come[i];
        }
    }
    return count;
}

std::uint16_t ImpairedLine::transmit(
    const ports::QueuePair& queue, rte_mbuf** mbufs, std::uint16_t count) noexcept
{
    if (count == 0) {
        rte_eth_tx_burst(queue.port_id, queue.queue_id, nullptr, 0);
    }
    flush(queue);
    if (leaving_end_ != 0) {
        return 0;
    }
    const std::uint64_t now = rte_rdtsc();
    std::uint16_t taken = 0;
    while (taken < std::min(count, ports::kMostBurst) && !transmit_.waiting.full()) {
        rte_mbuf* const mbuf = mbufs[taken++];
        if (passes(transmit_, mbuf, now, queue.pool)) {
            leaving_[leaving_end_++] = mbuf;
        }
    }
    leave(queue);
    return taken;
}

bool ImpairedLine::flush(const ports::QueuePair& queue) noexcept
{
    const std::uint64_t now = rte_rdtsc();
    while (leave(queue) && transmit_.waiting.due(now)) {
        while (leaving_end_ < queue.burst && transmit_.waiting.due(now)) {
            leaving_[leaving_end_++] = transmit_.waiting.pop();
        }
    }
    return leaving_end_ != 0 || !transmit_.waiting.empty();
}

// True: the port has taken all that was leaving.
bool ImpairedLine::leave(const ports::QueuePair& queue) noexcept
{
    while (leaving_begin_ != leaving_end_) {
        const auto left = static_cast<std::uint16_t>(leaving_end_ - leaving_begin_);
        const std::uint16_t most = std::min(left, queue.chain_burst);
        const std::uint16_t taken =
            rte_eth_tx_burst(queue.port_id, queue.queue_id, &leaving_[leaving_begin_], most);
        leaving_begin_ = static_cast<std::uint16_t>(leaving_begin_ + taken);
        if (taken < most) {
            return false;
        }
    }
    leaving_begin_ = leaving_end_ = 0;
    return true;
}

void ImpairedLine::forget_received() noexcept
{
    while (!receive_.waiting.empty()) {
        rte_pktmbuf_free(receive_.waiting.pop());
    }
}

// False: it is lost, or it waits.
bool ImpairedLine::passes(Way& way, rte_mbuf* mbuf, std::uint64_t now, rte_mempool* pool) noexcept
{
    if (way.impairment.loses(way.settings)) {
        way.lost.add(1);
        rte_pktmbuf_free(mbuf);
        return false;
    }
    const auto fate = way.impairment.fate(way.settings, 1);
    way.reordered.add(fate.reordered ? 1 : 0);
    if (fate.copy_delay) {
        way.twice.add(1);
        hold(way, copy_of(*mbuf, pool), now, *fate.copy_delay);
    }
    if (fate.delay.count() == 0) {
        return true;
    }
    hold(way, mbuf, now, fate.delay);
    return false;
}

// rte_pktmbuf_copy() takes the tag over (rte_mbuf.c, DPDK 22.11), but only what the packet is long:
// behind it lies something else than in the original.
rte_mbuf* ImpairedLine::copy_of(const rte_mbuf& mbuf, rte_mempool* pool) const noexcept
{
    rte_mbuf* const copy = rte_pktmbuf_copy(&mbuf, pool, 0, UINT32_MAX);
    if (copy != nullptr) {
        tags_.of(*copy) = 0;
    }
    return copy;
}

void ImpairedLine::hold(Way& way, rte_mbuf* mbuf, std::uint64_t now, nanoseconds delay) noexcept
{
    if (mbuf == nullptr || way.waiting.full()) {
        way.overflown.add(1);
        rte_pktmbuf_free(mbuf);
        return;
    }
    way.waiting.push(now + ticks(delay), mbuf);
}

stats::ImpairedPackets ImpairedLine::Way::counts() const noexcept
{
    return {lost.read(), twice.read(), reordered.read(), overflown.read()};
}

stats::ImpairedPackets ImpairedLine::transmitted() const noexcept
{
    return transmit_.counts();
}

stats::ImpairedPackets ImpairedLine::received() const noexcept
{
    return receive_.counts();
}

}  // namespace dpdkperf::engine
