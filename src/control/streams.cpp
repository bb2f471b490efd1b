#include "streams.hpp"

#include "dpdkperf/options/congestion.hpp"

#include <algorithm>
#include <utility>

namespace dpdkperf::control {

namespace {

using traffic::Direction;

// Datagrams or writes of one direction that reach the limit; 0: there is no limit.
std::uint64_t limit_in_blocks(const proto::Parameters& parameters)
{
    if (parameters.omit.count() > 0) {
        return 0;
    }
    if (parameters.blocks > 0) {
        return parameters.blocks;
    }
    return parameters.bytes / parameters.block_bytes +
           (parameters.bytes % parameters.block_bytes != 0 ? 1 : 0);
}

// The part of stream `index`, at least one block: 0 would stand for no limit.
std::uint64_t share(std::uint64_t blocks, std::uint32_t streams, std::uint32_t index)
{
    if (blocks == 0) {
        return 0;
    }
    const std::uint64_t part = blocks / streams + (index < blocks % streams ? 1 : 0);
    return std::max<std::uint64_t>(part, 1);
}

// With iperf3, --fq-rate is a second pacer, below -b. Datagrams are paced one by one already, so
// the lower rate of the two is the same; a TCP connection has the second pacer.
BitRate stream_rate(const proto::Parameters& parameters)
{
    const std::uint64_t rate_bps = parameters.rate.bps();
    const std::uint64_t cap_bps =
        parameters.transport == proto::Transport::kUdp ? parameters.fq_rate.bps() : 0;
    if (cap_bps == 0) {
        return parameters.rate;
    }
    return BitRate::from_bps(rate_bps == 0 ? cap_bps : std::min(rate_bps, cap_bps));
}

}  // namespace

Direction direction_of(const proto::Parameters& parameters, bool server, std::uint32_t index)
{
    const bool client_sends =
        parameters.bidirectional ? index < parameters.parallel : !parameters.reverse;
    return client_sends != server ? Direction::kSend : Direction::kReceive;
}

bool has_direction(const proto::Parameters& parameters, bool server, Direction direction)
{
    return parameters.bidirectional || direction_of(parameters, server, 0) == direction;
}

std::vector<traffic::StreamSpec> stream_specs(const proto::Parameters& parameters, bool server,
    std::span<const std::uint16_t> local_ports, std::uint16_t remote_port)
{
    std::vector<traffic::StreamSpec> specs;
    const std::uint64_t limit = server ? 0 : limit_in_blocks(parameters);
    const std::uint32_t parallel = std::max(parameters.parallel, 1U);
    for (std::uint32_t i = 0; i < parameters.streams(); ++i) {
        traffic::StreamSpec spec;
        spec.direction = direction_of(parameters, server, i);
        spec.local_port = local_ports[i];
        spec.remote_port = remote_port;
        spec.datagram = {parameters.block_bytes};
        spec.counters_64bit = parameters.counters_64bit;
        spec.filler =
            parameters.repeating_payload ? traffic::Filler::kDigits : traffic::Filler::kRandom;
        spec.tos = parameters.tos;
        spec.flow_label = parameters.flow_label;
        spec.rate = stream_rate(parameters);
        spec.burst = parameters.burst;
        if (spec.direction == Direction::kSend) {
            spec.max_datagrams = share(limit, parallel, i % parallel);
        }
        specs.push_back(spec);
    }
    return specs;
}

traffic::TcpSpec tcp_spec(const proto::Parameters& parameters, const proto::Cookie& cookie)
{
    static_assert(proto::Cookie::kSize == traffic::TcpSpec::kCookieBytes);
    traffic::TcpSpec spec;
    std::ranges::transform(
        cookie.bytes, spec.cookie.begin(), [](char c) { return static_cast<std::byte>(c); });
    spec.mss_bytes = parameters.mss_bytes;
    spec.window_bytes = parameters.window_bytes;
    spec.no_delay = parameters.no_delay;
    spec.max_pacing_rate = parameters.fq_rate;
    if (const auto congestion = options::congestion_named(parameters.congestion)) {
        spec.congestion = *congestion;
    }
    return spec;
}

}  // namespace dpdkperf::control
