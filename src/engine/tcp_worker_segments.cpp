// Segments in and out of a worker's connections.

#include "tcp_worker.hpp"

#include <algorithm>

namespace dpdkperf::engine {

void TcpWorker::arrive(
    TcpStream& stream, const wire::TcpView& view, std::uint16_t packets, Moment now) noexcept
{
    const std::uint64_t each =
        packets == 1 ? view.payload_bytes : (view.payload_bytes + packets - 1) / packets;
    stream.received_frames.add_segment(
        {wire::kEthernetSize + stream.writer->ip_size() + view.tcp_bytes - view.payload_bytes},
        view.payload_bytes, each);
    stream.connection.on_segment(
        {.header = view.header,
            .payload_bytes = static_cast<std::uint32_t>(view.payload_bytes),
            .head = view.payload,
            .ecn = view.ecn,
            .packets = packets},
        now);
    stream.due = true;
    note_state(stream, now);
    // Before it is open, it may be a stranger's.
    if (stream.spec.store != nullptr && stream.open.load(std::memory_order_relaxed)) [[unlikely]] {
        stream.connection.publish();
    }
    if (stream.connection.acknowledgment_urgent()) {
        pump(stream, now);
    }
}

void TcpWorker::take_icmp(TcpStream& stream, const wire::IcmpError& error, Moment now) noexcept
{
    if (error.kind == wire::IcmpError::Kind::kTooBig) {
        stream.connection.on_path_mtu(error.sequence, error.mtu_bytes, now);
    } else {
        stream.connection.on_unreachable(error.sequence, error.error, now);
    }
    stream.due = true;
    note_state(stream, now);
}

void TcpWorker::note_state(TcpStream& stream, Moment now) noexcept
{
    if (!stream.open.load(std::memory_order_relaxed)) [[unlikely]] {
        note_handshake(stream, now);
    } else if (!stream.sends() && !stream.final) {
        const std::uint64_t received = stream.connection.received();
        const std::uint64_t prefix = stream.received_prefix();
        stream.bytes_done.set(received - std::min(received, prefix));
    }
    const tcp::State state = stream.connection.state();
    const bool gone = state == tcp::State::kClosed;
    if (gone || state == tcp::State::kTimeWait) {
        stream.parted.store(true, std::memory_order_release);
    }
    const bool all_sent = stream.final || stream.sent_end >= stream.limit();
    if (gone || (all_sent && stream.connection.acknowledged() >= stream.sent_end)) {
        stream.sending.store(false, std::memory_order_release);
    }
    // Whoever goes before the stream is open was not its peer.
    const bool open = stream.open.load(std::memory_order_relaxed);
    if (open && (gone || stream.connection.peer_has_closed())) [[unlikely]] {
        if (!stream.ended.load(std::memory_order_relaxed)) {
            stream.error.store(stream.close_error(now), std::memory_order_release);
        }
        stream.ended.store(true, std::memory_order_release);
        if (stream.final && !gone) {
            stream.connection.close(now);
        }
    }
}

// A client's stream is open when the server has the cookie, a server's when it has come.
void TcpWorker::note_handshake(TcpStream& stream, Moment now) noexcept
{
    constexpr std::uint64_t kCookie = traffic::TcpSpec::kCookieBytes;
    if (stream.turned_away) {
        return;
    }
    if (stream.connection.state() == tcp::State::kClosed) {
        stream.error.store(stream.close_error(now), std::memory_order_release);
        stream.refused.store(true, std::memory_order_release);
        return;
    }
    if (!stream.session->spec.server) {
        if (stream.connection.acknowledged() >= kCookie) {
            stream.remote_port = stream.remote.port;
            stream.open.store(true, std::memory_order_release);
        }
        return;
    }
    const auto cookie = stream.connection.prefix();
    if (cookie.size() < kCookie && !stream.connection.peer_has_closed()) {
        return;
    }
    if (std::ranges::equal(cookie, stream.session->spec.tcp->cookie)) {
        stream.open.store(true, std::memory_order_release);
    } else {
        turn_away(stream, now);
    }
}

// As iperf3: one byte, and close.
void TcpWorker::turn_away(TcpStream& stream, Moment now) noexcept
{
    stream.turned_away = true;
    stream.since = now;
    stream.connection.offer(1);
    stream.connection.close(now);
    stream.due = true;
    stream.refused.store(true, std::memory_order_release);
}

bool TcpWorker::transmit(std::uint64_t now_tsc, Moment now) noexcept
{
    bool took = frames_.send(queue_);
    for (std::size_t tried = 0; tried < count_; ++tried) {
        if (!frames_.ready(queue_)) {
            took |= frames_.send(queue_);
            if (!frames_.ready(queue_)) {
                note_starved();
                return took;  // it goes on with this stream
            }
        }
        TcpStream& stream = *streams_[next_];
        next_ = next_ + 1 < count_ ? next_ + 1 : 0;
        if (stream.sends() && stream.spec.rate.bps() > 0) {
            offer_paced(stream, now_tsc);
        }
        if (stream.due || stream.deadline <= now) {
            pump(stream, now);
        }
    }
    return frames_.send(queue_) || took;
}

// An mbuf was wanted and there was none.
void TcpWorker::note_starved() noexcept
{
    if (frames_.starved()) {
        streams_[next_]->session->pool_empty.fetch_add(1, std::memory_order_relaxed);
    }
}

// As an application that blocks in write() while a whole block has not left. The rest of the last
// one may wait for the next, to fill a segment (Nagle).
void TcpWorker::offer_paced(TcpStream& stream, std::uint64_t now_tsc) noexcept
{
    const std::uint64_t waiting =
        stream.offered_end - std::min(stream.offered_end, stream.sent_end);
    if (!stream.started || stream.final || waiting >= stream.spec.datagram.value) {
        return;
    }
    const std::uint32_t blocks = stream.pacer.allowance(now_tsc, 1);
    if (blocks > 0) {
        stream.offered_end =
            std::min(stream.offered_end + blocks * stream.spec.datagram.value, stream.limit());
        stream.connection.offer(stream.offered_end);
        stream.due = true;
    }
}

// One segment, however large, so that no stream holds up the others for long.
void TcpWorker::pump(TcpStream& stream, Moment now) noexcept
{
    if (!frames_.ready(queue_)) {
        return;
    }
    tcp::Segment segment;
    stream.due = stream.connection.next_segment(now, segment);
    if (!stream.due) {
        stream.deadline = stream.connection.next_deadline();
        note_state(stream, now);
        return;
    }
    const Session& session = *stream.session;
    const auto& content = stream.turned_away ? session.denial : session.content;
    frames_.add(segment, *stream.writer, content ? &*content : nullptr, queue_);
    stream.sent_frames.add_segment({wire::kEthernetSize + stream.writer->ip_size() +
                                       wire::tcp_header_size(segment.header.options)},
        segment.payload_bytes, segment.packet_payload_bytes);
    const std::uint64_t end = segment.stream_offset + segment.payload_bytes;
    if (segment.payload_bytes > 0 && end > stream.sent_end) {
        stream.sent_end = end;
        if (stream.sends() && !stream.final && !stream.turned_away) {
            stream.bytes_done.set(end - std::min(end, stream.sent_prefix()));
        }
    }
}

}  // namespace dpdkperf::engine
