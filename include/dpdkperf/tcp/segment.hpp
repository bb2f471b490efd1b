#pragma once

#include "dpdkperf/wire/tcp_header.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace dpdkperf::tcp {

// A segment that has arrived: checksums are right, ports and addresses are this connection's.
struct Arrival {
    wire::TcpHeader header;
    std::uint32_t payload_bytes = 0;
    // The beginning of the payload, as much as is at hand; looked at only where there is a store,
    // and while the kept prefix is not complete. May be shorter than the payload, which then has to
    // be sent again.
    std::span<const std::byte> head;
    wire::Ecn ecn = wire::Ecn::kNotCapable;
    std::uint16_t packets = 1;  // that LRO has made into this one
};

// A segment to be transmitted: an intent, without memory. Payload is a function of the position in
// the stream, so a retransmission is built like any other segment, and nothing is stored.
struct Segment {
    wire::TcpHeader header;           // sequence number of the first packet; CWR, PSH, FIN as due
    std::uint64_t stream_offset = 0;  // of the first payload byte
    std::uint32_t payload_bytes = 0;
    // Payload of each packet but the last: if smaller than payload_bytes, the segment is to be cut
    // (by TSO or in software), PSH and FIN only on the last packet, CWR only on the first.
    std::uint32_t packet_payload_bytes = 0;
    wire::Ecn ecn = wire::Ecn::kNotCapable;
    bool retransmission = false;
};

// The answer to a segment that belongs to no connection (RFC 9293, 3.10.7.1). False: there is none
// (it was a reset itself). The caller limits the rate and never answers to a broadcast.
bool refuse(const wire::TcpHeader& header, std::uint32_t payload_bytes, Segment& out) noexcept;

}  // namespace dpdkperf::tcp
