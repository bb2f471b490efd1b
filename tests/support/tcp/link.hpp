#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/impair/impairment.hpp"
#include "dpdkperf/wire/tcp_header.hpp"
#include "random.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace dpdkperf::tcp::sim {

// A packet in the simulator: real header bytes, and for the payload only what it claims to be.
struct Packet {
    std::array<std::byte, wire::kMaxTcpSize> header{};
    std::size_t header_bytes = 0;
    std::uint32_t payload_bytes = 0;
    std::uint64_t claimed_offset = 0;  // which bytes of the stream the payload holds
    wire::Ecn ecn = wire::Ecn::kNotCapable;
    bool retransmission = false;  // as the sender has called it
    bool corrupt = false;

    [[nodiscard]] std::uint32_t ip_bytes() const
    {
        return 20 + static_cast<std::uint32_t>(header_bytes) + payload_bytes;
    }
};

// One direction of a path: what --impair does, at a rate and with a queue.
struct LinkSettings : impair::Settings {
    double bits_per_second = 0;  // 0: no limit
    std::uint64_t queue_bytes = 1U << 20U;
    std::uint32_t mtu_bytes = 65'535;  // larger packets vanish without a message
    std::uint64_t mark_bytes = 0;      // ECN: mark when more is queued; 0: never
    // Scripted loss: called with every packet and its number in this direction, from 0.
    std::function<bool(const Packet&, std::uint64_t)> drop;
};

// When the copies of a packet arrive. Empty: never.
class Link {
public:
    Link(LinkSettings settings, std::uint64_t seed)
        : settings_{std::move(settings)}, impairment_{seed}
    {
    }

    struct Copy {
        Moment at;
        Packet packet;
    };
    std::vector<Copy> carry(Packet packet, Moment now);

    [[nodiscard]] LinkSettings& settings() { return settings_; }
    [[nodiscard]] std::uint64_t offered() const { return offered_; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    LinkSettings settings_;
    impair::Impairment impairment_;
    Moment busy_until_{};
    std::uint64_t offered_ = 0, dropped_ = 0;
};

}  // namespace dpdkperf::tcp::sim
