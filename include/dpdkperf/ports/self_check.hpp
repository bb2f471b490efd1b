#pragma once

#include "dpdkperf/ports/port.hpp"

#include <cstdint>
#include <string>

namespace dpdkperf::ports {

// The largest TCP segment that is left to a device to cut, and in how many pieces its payload may
// lie.
inline constexpr std::uint32_t kMostTsoBytes = 48'000;
inline constexpr std::uint32_t kMostTsoPieces = 5;

// What a driver says of the frames that its plan lets us build.
struct SelfCheck {
    bool chains = false;  // payload behind a buffer of headers
    bool tso = false;     // the same of many packets
    std::string text;     // for people: what was asked, and what was refused and why
};

// Asks a started port's driver: rte_eth_tx_prepare() looks at a frame as it would have to be before
// a transmission (rte_ethdev.h, DPDK 22.11), and nothing is sent. What `pair` does not claim to
// take is not asked for. A driver that has nothing to say refuses nothing. No poller runs yet.
SelfCheck check_transmit(const QueuePair& pair);

}  // namespace dpdkperf::ports
