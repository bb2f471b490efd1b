#include "tcp_stream.hpp"

#include "session.hpp"

#include <algorithm>
#include <cerrno>

namespace dpdkperf::engine {

namespace {

stats::TcpHealth health_of(const tcp::Info& info) noexcept
{
    const tcp::Rejected& rejected = info.rejected;
    return {.timeouts = info.timeouts,
        .loss_probes = info.loss_probes,
        .zero_window_probes = info.zero_window_probes,
        .recoveries = info.recoveries,
        .undone = info.undone,
        .duplicate_sacks = info.duplicate_sacks,
        .reneged = info.reneged,
        .out_of_order = info.out_of_order_segments,
        .duplicate_bytes = info.duplicate_bytes,
        .bad_handshake = rejected.handshake,
        .old_timestamp = rejected.old_timestamp,
        .missing_timestamp = rejected.missing_timestamp,
        .outside_window = rejected.outside_window,
        .inexact_reset = rejected.reset_inexact,
        .unexpected_syn = rejected.unexpected_syn,
        .no_ack = rejected.no_ack,
        .ack_of_unsent = rejected.ack_of_unsent,
        .old_ack = rejected.ack_too_old,
        .bad_sack_block = rejected.sack_block,
        .no_room = rejected.no_room,
        .after_fin = rejected.after_fin,
        .tiny_mss = rejected.tiny_mss,
        .bad_icmp = rejected.icmp,
        .unreachable = info.unreachable,
        .challenge_acks = info.challenge_acks};
}

}  // namespace

int TcpStream::close_error(Moment now) const noexcept
{
    const tcp::Info info = connection.info(now);
    switch (info.close_reason) {
    case tcp::CloseReason::kRefused:
        return ECONNREFUSED;
    case tcp::CloseReason::kTimedOut:
        return info.unreachable_error != 0 ? info.unreachable_error : ETIMEDOUT;
    case tcp::CloseReason::kUnreachable:
        return info.unreachable_error;
    default:
        return ECONNRESET;
    }
}

std::uint64_t TcpStream::sent_prefix() const
{
    return session->spec.server ? 0 : traffic::TcpSpec::kCookieBytes;
}

std::uint64_t TcpStream::received_prefix() const
{
    return session->spec.server ? traffic::TcpSpec::kCookieBytes : 0;
}

std::uint64_t TcpStream::limit() const
{
    constexpr std::uint64_t kNowhere = ~std::uint64_t{0};
    const std::uint64_t file = session->spec.tcp->file.size();
    const std::uint64_t bytes = std::min(file == 0 ? kNowhere : file,
        spec.max_datagrams == 0 ? kNowhere : spec.max_datagrams * spec.datagram.value);
    return bytes == kNowhere ? kNowhere : sent_prefix() + bytes;
}

void TcpStream::fill(stats::Snapshot& snapshot, Moment now) const noexcept
{
    snapshot.bytes = {bytes_done.read()};
    snapshot.sent_frames = sent_frames;
    snapshot.received_frames = received_frames;
    const tcp::Info info = connection.info(now);
    snapshot.retransmits = info.segments_retransmitted;
    snapshot.cwnd_bytes = info.cwnd_bytes;
    snapshot.peer_window_bytes = info.peer_window_bytes;
    snapshot.rtt_us = static_cast<std::uint64_t>(info.rtt.count());
    snapshot.rttvar_us = static_cast<std::uint64_t>(info.rttvar.count());
    snapshot.path_mtu_bytes = info.path_mtu_bytes;
    snapshot.reordering = info.reordering;
    snapshot.health = health_of(info);
    if (snapshot.edge == stats::kFinalEdge) {
        snapshot.health.broken_invariants = connection.broken_invariant() == nullptr ? 0 : 1;
    }
}

void TcpStream::stop() noexcept
{
    connection.withdraw();
    due = true;
}

}  // namespace dpdkperf::engine
