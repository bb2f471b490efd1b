#include "captured.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace dpdkperf::engine {

namespace {

using capture::Direction;

// Once per burst, and only while frames are wanted.
std::int64_t now_ns() noexcept
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// A frame may lie in several mbufs, whose data may be pinned somewhere else.
void copy(const rte_mbuf& frame, std::span<std::byte> to) noexcept
{
    for (const rte_mbuf* m = &frame; m != nullptr; m = m->next) {
        const std::size_t bytes = std::min<std::size_t>(m->data_len, to.size());
        std::memcpy(to.data(), rte_pktmbuf_mtod(m, const std::byte*), bytes);
        to = to.subspan(bytes);
    }
}

}  // namespace

Captured::Captured(capture::Capture& into, std::uint16_t interface, std::size_t poller)
    : into_{into}, ring_{into.ring(poller)}, interface_{interface}
{
}

void Captured::received(std::span<rte_mbuf* const> mbufs) noexcept
{
    stage(mbufs, Direction::kReceived);
    commit(claimed_, Direction::kReceived);
}

void Captured::offered(std::span<rte_mbuf* const> mbufs) noexcept
{
    stage(mbufs, Direction::kSent);
}

void Captured::taken(std::size_t count) noexcept
{
    commit(count, Direction::kSent);
}

void Captured::stage(std::span<rte_mbuf* const> mbufs, Direction direction) noexcept
{
    claimed_ = into_.claim(direction, static_cast<std::uint32_t>(mbufs.size()));
    if (claimed_ == 0) {
        return;
    }
    capture::FrameHeader header{.interface = interface_, .direction = direction, .at_ns = now_ns()};
    for (const rte_mbuf* mbuf : mbufs.first(claimed_)) {
        header.bytes = mbuf->pkt_len;
        const std::span<std::byte> room = ring_.stage(header);
        if (room.empty()) {
            return;
        }
        copy(*mbuf, room);
    }
}

// Of the frames that were claimed, the first `count` have come or gone.
void Captured::commit(std::size_t count, Direction direction) noexcept
{
    const auto passed = std::min(static_cast<std::uint32_t>(count), claimed_);
    const auto kept = std::min(passed, static_cast<std::uint32_t>(ring_.staged()));
    ring_.commit(kept);
    into_.lose(passed - kept);
    into_.give_back(direction, claimed_ - passed);
    claimed_ = 0;
}

}  // namespace dpdkperf::engine
