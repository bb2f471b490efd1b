#pragma once

#include "dpdkperf/stats/tcp_health.hpp"

namespace dpdkperf::report {

// How a counter of a TCP connection is called.
struct HealthRow {
    std::uint64_t stats::TcpHealth::*count;
    const char* key;   // JSON
    const char* text;  // behind the number
};

inline constexpr HealthRow kHealthRows[] = {
    {&stats::TcpHealth::timeouts, "timeouts", "timeouts"},
    {&stats::TcpHealth::loss_probes, "loss_probes", "tail loss probes"},
    {&stats::TcpHealth::zero_window_probes, "zero_window_probes", "zero window probes"},
    {&stats::TcpHealth::recoveries, "recoveries", "recoveries"},
    {&stats::TcpHealth::undone, "undone", "of them spurious"},
    {&stats::TcpHealth::duplicate_sacks, "duplicate_sacks", "duplicate SACKs"},
    {&stats::TcpHealth::reneged, "reneged", "SACKed segments dropped by the peer"},
    {&stats::TcpHealth::out_of_order, "out_of_order", "segments out of order"},
    {&stats::TcpHealth::duplicate_bytes, "duplicate_bytes", "bytes twice"},
    {&stats::TcpHealth::bad_handshake, "bad_handshake", "bad handshakes"},
    {&stats::TcpHealth::old_timestamp, "old_timestamp", "old timestamps"},
    {&stats::TcpHealth::missing_timestamp, "missing_timestamp", "missing timestamps"},
    {&stats::TcpHealth::outside_window, "outside_window", "segments outside the window"},
    {&stats::TcpHealth::inexact_reset, "inexact_reset", "inexact resets"},
    {&stats::TcpHealth::unexpected_syn, "unexpected_syn", "unexpected SYNs"},
    {&stats::TcpHealth::no_ack, "no_ack", "segments without ACK"},
    {&stats::TcpHealth::ack_of_unsent, "ack_of_unsent", "ACKs of unsent data"},
    {&stats::TcpHealth::old_ack, "old_ack", "ACKs too old"},
    {&stats::TcpHealth::bad_sack_block, "bad_sack_block", "bad SACK blocks"},
    {&stats::TcpHealth::no_room, "no_room", "segments without room"},
    {&stats::TcpHealth::after_fin, "after_fin", "segments after FIN"},
    {&stats::TcpHealth::tiny_mss, "tiny_mss", "offers of a tiny MSS"},
    {&stats::TcpHealth::bad_icmp, "bad_icmp", "ICMP errors that fit nothing"},
    {&stats::TcpHealth::unreachable, "unreachable", "times unreachable"},
    {&stats::TcpHealth::challenge_acks, "challenge_acks", "challenge ACKs"},
    {&stats::TcpHealth::broken_invariants, "broken_invariants", "broken invariants"},
};
static_assert(sizeof kHealthRows / sizeof(HealthRow) * sizeof(std::uint64_t) ==
              sizeof(stats::TcpHealth));  // every counter has a row

}  // namespace dpdkperf::report
