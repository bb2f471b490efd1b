#pragma once

#include "dpdkperf/base/address.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::wire {

// Receive-side scaling as network devices do it: a Toeplitz hash over the addresses and ports of a
// packet picks an entry of a redirection table, and that the RX queue. Source: Microsoft, "RSS
// hashing types" and "Verifying the RSS hash calculation" (Windows driver documentation).
// Pure; set-up code, not for every packet.

// Bytes of key that an IPv6 packet with ports needs: its 36 bytes and the 32-bit window's rest.
inline constexpr std::size_t kRssKeySize = 40;

// The hash of any input. Bits past the end of `key` count as zero.
std::uint32_t toeplitz(
    std::span<const std::uint8_t> key, std::span<const std::uint8_t> input) noexcept;

// The hash of a packet from `source` to `destination` with ports, as it arrives: for packets that
// we receive, `source` is the peer. Both ends are of one family.
std::uint32_t rss_hash(std::span<const std::uint8_t> key, const Endpoint& source,
    const Endpoint& destination) noexcept;

// The RX queue of a hash: the table's entry that its low bits name. `table` is not empty.
std::uint16_t queue_of(std::span<const std::uint16_t> table, std::uint32_t hash) noexcept;

}  // namespace dpdkperf::wire
