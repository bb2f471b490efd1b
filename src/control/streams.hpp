#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/parameters.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace dpdkperf::control {

// Which way stream number `index` flows, seen from `server`'s side. In both directions the client
// opens its sending streams first (iperf 3.12, src/iperf_client_api.c, iperf_create_streams).
traffic::Direction direction_of(
    const proto::Parameters& parameters, bool server, std::uint32_t index);

// True if any stream flows so.
bool has_direction(const proto::Parameters& parameters, bool server, traffic::Direction direction);

// The streams of a test in the order of their creation. `local_ports` has one port per stream.
// A client's senders share a limit of bytes or blocks exactly, unless there is an omitted part,
// whose datagrams would not count; a server's senders have none, for only the client ends a test.
std::vector<traffic::StreamSpec> stream_specs(const proto::Parameters& parameters, bool server,
    std::span<const std::uint16_t> local_ports, std::uint16_t remote_port);

// What the streams of a TCP test have in common, if check_tcp() has no objection.
traffic::TcpSpec tcp_spec(const proto::Parameters& parameters, const proto::Cookie& cookie);

}  // namespace dpdkperf::control
