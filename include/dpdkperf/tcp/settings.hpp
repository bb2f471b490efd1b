#pragma once

#include "dpdkperf/base/stream_store.hpp"
#include "dpdkperf/base/units.hpp"

#include <chrono>
#include <cstdint>

namespace dpdkperf::tcp {

enum class Algorithm : std::uint8_t {
    kCubic,  // RFC 9438 with HyStart++ (RFC 9406)
    kReno,   // RFC 5681
    kFixed,  // a constant window; no congestion control, for experiments on one's own network
};

// What a connection may use, fixed when its memory is allocated.
struct Limits {
    // Segments in flight; a power of two, 64 to 2^20. Memory: about 5 bytes each, plus 50 KB.
    std::uint32_t segments_in_flight = 32'768;
};

// What one use of a connection begins with.
struct Settings {
    // RFC 6528 and RFC 7323, 5.4: initial_sequence() and timestamp_offset() make them.
    std::uint32_t initial_sequence = 0;
    std::uint32_t timestamp_offset = 0;

    bool ipv4 = true;
    std::uint32_t mtu_bytes = 1500;       // of our port: largest IP packet, at least 88 (IPv6: 108)
    std::uint32_t max_segment_bytes = 0;  // -M: MSS to offer and to use at most; 0: by MTU

    // What the receiver advertises, always if there is no store that could fill. Up to 1 GB.
    std::uint64_t receive_window_bytes = 16U << 20U;
    // Where the peer's payload is put, position by position, and whose room the window never
    // passes. It outlives this use of the connection. Null: payload is counted, not kept.
    StreamStore* store = nullptr;

    bool window_scaling = true;  // RFC 7323; the peer has to want it too, as with the next two
    bool timestamps = true;      // RFC 7323
    bool sack = true;            // RFC 2018
    bool ecn = false;            // ask for it (RFC 3168); a peer that asks is always answered

    bool no_delay = false;  // -N: a last, short segment need not wait (Nagle)
    Algorithm congestion = Algorithm::kCubic;
    std::uint32_t fixed_window_segments = 0;  // kFixed only; at least 1
    BitRate max_pacing_rate;                  // --fq-rate; 0: none but what cwnd gives
    // Payload of the largest super-segment that next_segment() may return; 0: one segment.
    std::uint32_t max_burst_bytes = 0;

    // The first bytes of the peer's stream are kept: iperf3's cookie is 37. At most 64.
    std::uint32_t kept_prefix_bytes = 0;

    // --snd-timeout: data that has waited so long for an ACK ends the connection (RFC 5482); 0: as
    // many repetitions as Linux makes.
    std::chrono::milliseconds user_timeout{0};

    std::chrono::milliseconds time_wait{60'000};  // RFC 9293, 3.10.7.8, with Linux's 2 MSL
};

}  // namespace dpdkperf::tcp
