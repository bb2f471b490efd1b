#pragma once

#include <cstdint>

namespace dpdkperf::stats {

// What a TCP connection went through, since it was opened. All are counters, and 0 on a clean path
// with a peer that means well, but for a tail loss probe now and then.
struct TcpHealth {
    // The sending half.
    std::uint64_t timeouts = 0;
    std::uint64_t loss_probes = 0;
    std::uint64_t zero_window_probes = 0;
    std::uint64_t recoveries = 0;
    std::uint64_t undone = 0;  // recoveries and timeouts that were spurious
    std::uint64_t duplicate_sacks = 0;
    std::uint64_t reneged = 0;  // segments that the peer had SACKed and dropped all the same
    // The receiving half.
    std::uint64_t out_of_order = 0;     // segments
    std::uint64_t duplicate_bytes = 0;  // received again
    // Segments that were not taken, by the first test they failed (tcp/info.hpp says which).
    std::uint64_t bad_handshake = 0;
    std::uint64_t old_timestamp = 0;
    std::uint64_t missing_timestamp = 0;
    std::uint64_t outside_window = 0;
    std::uint64_t inexact_reset = 0;
    std::uint64_t unexpected_syn = 0;
    std::uint64_t no_ack = 0;
    std::uint64_t ack_of_unsent = 0;
    std::uint64_t old_ack = 0;
    std::uint64_t bad_sack_block = 0;
    std::uint64_t no_room = 0;
    std::uint64_t after_fin = 0;
    std::uint64_t tiny_mss = 0;
    std::uint64_t bad_icmp = 0;        // ICMP errors that quote nothing that is in flight
    std::uint64_t unreachable = 0;     // and such that do
    std::uint64_t challenge_acks = 0;  // our answers to such segments
    // When the test ended: 1 if the connection contradicted itself, which is a fault of ours.
    std::uint64_t broken_invariants = 0;
};

}  // namespace dpdkperf::stats
