#pragma once

#include "dpdkperf/capture/capture.hpp"

#include <cstdint>
#include <span>

#include <rte_mbuf.h>

namespace dpdkperf::engine {

// What a poller shows to --pcap. One poller's.
class Captured {
public:
    Captured(capture::Capture& into, std::uint16_t interface, std::size_t poller);

    // Whether frames of this direction are still wanted.
    [[nodiscard]] bool wants(capture::Direction direction) const noexcept
    {
        return into_.wants(direction);
    }

    // Frames that have come.
    void received(std::span<rte_mbuf* const> mbufs) noexcept;

    // Frames that are to be sent, as they are. They are the driver's when it has taken them, so
    // they are looked at before; taken() says how many of them were.
    void offered(std::span<rte_mbuf* const> mbufs) noexcept;
    void taken(std::size_t count) noexcept;

private:
    void stage(std::span<rte_mbuf* const> mbufs, capture::Direction direction) noexcept;
    void commit(std::size_t count, capture::Direction direction) noexcept;

    capture::Capture& into_;
    capture::FrameRing& ring_;
    const std::uint16_t interface_;
    std::uint32_t claimed_ = 0;  // of the frames that are staged, or found no room
};

}  // namespace dpdkperf::engine
