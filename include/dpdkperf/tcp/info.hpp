#pragma once

#include <chrono>
#include <cstdint>

namespace dpdkperf::tcp {

// RFC 9293, 3.3.2.
enum class State : std::uint8_t {
    kClosed,
    kListen,
    kSynSent,
    kSynReceived,
    kEstablished,
    kFinWait1,
    kFinWait2,
    kCloseWait,
    kClosing,
    kLastAck,
    kTimeWait,
};

// Why a connection is closed.
enum class CloseReason : std::uint8_t {
    kNone,         // it is not, or it was never opened
    kDone,         // both sides have sent their FIN, TIME_WAIT is over
    kReset,        // the peer has reset it
    kRefused,      // the peer has reset our SYN
    kTimedOut,     // the peer has stopped answering
    kUnreachable,  // our SYN does not get there
    kAborted,      // abort()
};

// Segments that were not taken, by the first test they failed. One counter per reason.
struct Rejected {
    std::uint64_t handshake = 0;          // unacceptable in LISTEN or SYN-SENT
    std::uint64_t old_timestamp = 0;      // PAWS (RFC 7323, 5)
    std::uint64_t missing_timestamp = 0;  // agreed on, but not there (RFC 7323, 3.2)
    std::uint64_t outside_window = 0;     // RFC 9293, 3.10.7.4, first
    std::uint64_t reset_inexact = 0;      // in the window, but not at RCV.NXT (RFC 5961, 3)
    std::uint64_t unexpected_syn = 0;     // RFC 5961, 4
    std::uint64_t no_ack = 0;
    std::uint64_t ack_of_unsent = 0;  // RFC 5961, 5
    std::uint64_t ack_too_old = 0;    // likewise
    std::uint64_t sack_block = 0;     // blocks, not segments
    std::uint64_t no_room = 0;        // out of order, and all ranges are in use
    std::uint64_t after_fin = 0;      // data behind the peer's FIN
    std::uint64_t tiny_mss = 0;  // offers of segments too small to be sent; taken as the smallest
    std::uint64_t icmp = 0;      // ICMP errors that do not fit what is in flight
};

// What Linux's tcp_info tells, in its units where iperf3 prints them (iperf 3.12, src/tcp_info.c).
// All counters are since the connection was opened.
struct Info {
    using Microseconds = std::chrono::microseconds;

    State state = State::kClosed;
    CloseReason close_reason = CloseReason::kNone;

    // The sending half. A segment is a slot: a super-segment counts as many.
    std::uint64_t bytes_sent = 0;              // first transmissions, payload
    std::uint64_t bytes_retransmitted = 0;     // payload
    std::uint64_t bytes_acknowledged = 0;      // payload, in order
    std::uint64_t segments_sent = 0;           // with payload or FIN, first transmissions
    std::uint64_t segments_retransmitted = 0;  // tcpi_total_retrans: SYN and FIN included
    std::uint64_t timeouts = 0;
    std::uint64_t loss_probes = 0;
    std::uint64_t zero_window_probes = 0;
    std::uint64_t recoveries = 0;
    std::uint64_t undone = 0;  // recoveries and timeouts that were spurious
    std::uint64_t duplicate_sacks = 0;
    std::uint64_t reneged = 0;
    std::uint64_t ecn_reductions = 0;
    std::uint64_t unreachable = 0;  // ICMP errors, but for those of the path MTU
    int unreachable_error = 0;      // errno of the last of them
    std::uint32_t cwnd_segments = 0;
    std::uint64_t cwnd_bytes = 0;
    std::uint32_t ssthresh_segments = 0;
    std::uint64_t peer_window_bytes = 0;
    std::uint32_t segments_in_flight = 0;
    std::uint32_t segments_lost = 0;  // believed lost, not yet delivered
    std::uint32_t segments_sacked = 0;
    Microseconds rtt{0}, rttvar{0}, min_rtt{0}, rto{0};
    std::uint32_t reordering = 3;  // segments, as tcpi_reordering
    std::uint32_t path_mtu_bytes = 0;
    std::uint32_t segment_bytes = 0;  // payload of a full segment
    std::uint64_t pacing_bytes_per_second = 0;

    // Who held the sender back, for how long, since the handshake.
    Microseconds limited_by_cwnd{0}, limited_by_peer_window{0}, limited_by_sender{0};

    // The receiving half.
    std::uint64_t bytes_received = 0;     // payload, in order
    std::uint64_t segments_received = 0;  // all, rejected ones too
    std::uint64_t data_segments_received = 0;
    std::uint64_t duplicate_bytes = 0;  // received again
    std::uint64_t out_of_order_segments = 0;
    std::uint64_t congestion_marks = 0;  // segments that came with CE
    std::uint64_t acks_sent = 0;         // segments without payload
    std::uint64_t challenge_acks = 0;
    Rejected rejected;
};

}  // namespace dpdkperf::tcp
