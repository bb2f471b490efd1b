#pragma once

#include "dpdkperf/base/ip_protocol.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace dpdkperf::ports {

// How a started port spreads packets over its RX queues: by Toeplitz hash over addresses and
// ports, with this key, whose low bits choose an entry of the table. wire/toeplitz.hpp does the
// arithmetic. It says where the device should put a packet; a few use another hash function or
// other fields without telling, so what arrives elsewhere still has to be handed over.
struct RssState {
    std::vector<std::uint8_t> key;      // as DPDK gives it: 40 bytes or more
    std::vector<std::uint16_t> queues;  // the redirection table, the device queue of each entry
    std::uint64_t functions = 0;        // RTE_ETH_RSS_* in force

    // Whether ports are part of the hash, so that a local port can be chosen for a queue.
    [[nodiscard]] bool hashes_ports(bool ipv4, IpProtocol protocol) const;
};

// Reads key, table and functions back. None where the driver does not tell, or RSS is off.
// Set-up thread: Eal::run(). `port_id` is started.
std::optional<RssState> rss_state(std::uint16_t port_id);

}  // namespace dpdkperf::ports
