#include "streams.hpp"

#include <algorithm>

namespace dpdkperf::control {

namespace {

using traffic::Direction;

// Datagrams of one direction that reach the limit; 0: there is no limit.
std::uint64_t limit_in_datagrams(const proto::Parameters& parameters)
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

// The part of stream `index`, at least one datagram: 0 would stand for no limit.
std::uint64_t share(std::uint64_t datagrams, std::uint32_t streams, std::uint32_t index)
{
    if (datagrams == 0) {
        return 0;
    }
    const std::uint64_t part = datagrams / streams + (index < datagrams % streams ? 1 : 0);
    return std::max<std::uint64_t>(part, 1);
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
    const std::uint64_t limit = server ? 0 : limit_in_datagrams(parameters);
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
        spec.rate = parameters.rate;
        spec.burst = parameters.burst;
        if (spec.direction == Direction::kSend) {
            spec.max_datagrams = share(limit, parallel, i % parallel);
        }
        specs.push_back(spec);
    }
    return specs;
}

}  // namespace dpdkperf::control
