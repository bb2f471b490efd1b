#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/time.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace dpdkperf::tcp {

// Random, chosen when the process starts, never shown to anybody.
using IsnSecret = std::array<std::uint64_t, 2>;

// RFC 6528, 3: a clock of 4 us plus a keyed hash of the addresses and ports.
std::uint32_t initial_sequence(
    const IsnSecret& secret, const Endpoint& local, const Endpoint& remote, Moment now) noexcept;

// The offset of the timestamp clock of a pair of endpoints: a peer learns nothing about our uptime
// or other connections, and the clock of one 4-tuple never goes back (RFC 7323, 7.1).
std::uint32_t timestamp_offset(
    const IsnSecret& secret, const Endpoint& local, const Endpoint& remote) noexcept;

// SipHash-2-4 (Aumasson and Bernstein, 2012) of `words`, each taken as 8 little-endian bytes.
std::uint64_t siphash(const IsnSecret& key, std::span<const std::uint64_t> words) noexcept;

}  // namespace dpdkperf::tcp
