#include "poller.hpp"

#include <algorithm>

#include <rte_cycles.h>

namespace dpdkperf::engine {

bool Poller::obey() noexcept
{
    while (commands_.pending()) {
        const Command command = commands_.pop();
        if (command.kind == Command::Kind::kQuit) {
            return false;
        }
        if (command.kind == Command::Kind::kAdd) {
            add(*command.session);
            continue;
        }
        Active& active = *find(command.session);  // control names only what it has added
        switch (command.kind) {
        case Command::Kind::kHello:
            say_hello(*active.session, command.stream);
            break;
        case Command::Kind::kStart:
            start(active, command.timetable);
            break;
        case Command::Kind::kStop:
            end_streams(active, rte_rdtsc(), false);
            break;
        case Command::Kind::kFinish:
            finish(active, rte_rdtsc());
            break;
        case Command::Kind::kNextHop:
            active.next_hop = command.next_hop;
            renew_templates(*active.session);
            tcp_.set_next_hop(*active.session, command.next_hop, *this);
            break;
        case Command::Kind::kIcmp:
            take_icmp(command.icmp, rte_rdtsc());
            break;
        case Command::Kind::kRemove:
            remove(active);
            break;
        case Command::Kind::kAdd:
        case Command::Kind::kQuit:
            break;
        }
    }
    schedule();
    return true;
}

Poller::Active* Poller::find(const Session* session) noexcept
{
    return std::find_if(active_.begin(), active_.begin() + active_count_,
        [session](const Active& a) { return a.session == session; });
}

void Poller::add(Session& session) noexcept
{
    if (active_count_ == 0) {
        set_clock();
    }
    active_[active_count_++] = Active{.session = &session,
        .next_hop = session.spec.next_hop,
        .timetable = {},
        .next_edge = {},
        .meter_at_start = meter_.reading()};
    expects_packets_ = true;
    for (const auto& stream : session.streams) {
        if (stream->owned_by(*this)) {
            make_template(*stream);
        }
        if (!session.spec.server) {  // the reply may come to any poller
            flows_.insert(*stream);
        }
    }
    tcp_.add(session, *this);
    session.added_by.fetch_add(1, std::memory_order_release);
}

wire::UdpFlow Poller::flow_of(const UdpStream& stream) noexcept
{
    return {.source_mac = context_.mac,
        .next_hop = find(stream.session)->next_hop,
        .source = stream.local,
        .destination = stream.remote,
        .tos = stream.spec.tos,
        .flow_label = stream.spec.flow_label};
}

void Poller::make_template(UdpStream& stream) noexcept
{
    const std::uint32_t number = ++context_.last_template;
    stream.datagrams =
        UdpTemplate{flow_of(stream), static_cast<std::uint16_t>(stream.spec.datagram.value),
            stream.spec.counters_64bit, stream.spec.filler, context_.filler, number};
}

// A stream that is open, or that connects, became ours by the reply: its hello was said by whom it
// was dealt to, and this command is late.
void Poller::say_hello(const Session& session, std::uint32_t index) noexcept
{
    const Stream& stream = session.stream(index);
    if (!stream.owned_by(*this) || stream.open.load(std::memory_order_relaxed)) {
        return;
    }
    if (session.connections.empty()) {
        send_now(*session.streams[index], wire::kHello);
    } else if (TcpStream& connection = *session.connections[index];
               tcp_.holds(connection) && connection.connection.state() == tcp::State::kClosed) {
        tcp_.connect(connection, clock_.scale().moment(rte_rdtsc()));
    }
}

// One datagram of four bytes, before any traffic flows. A port that does not take it within
// some thousand tries is stuck; the peer's silence then tells.
void Poller::send_now(const UdpStream& stream, std::uint32_t word) noexcept
{
    const PollerQueue& queue = queues_.front();
    rte_mbuf* mbuf = rte_pktmbuf_alloc(queue.pool);
    if (mbuf == nullptr) {
        stream.session->pool_empty.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    const UdpTemplate hello{
        flow_of(stream), wire::kHelloSize, false, stream.spec.filler, context_.filler, 0};
    std::array<std::byte, wire::kHelloSize> payload{};
    store_be<std::uint32_t>(payload.data(), word);
    hello.write_whole(*mbuf, context_.tags, payload);
    constexpr int kTries = 4096;
    for (int i = 0; i < kTries; ++i) {
        if (queue.transmit(&mbuf, 1) == 1) {
            return;
        }
    }
    rte_pktmbuf_free(mbuf);
}

void Poller::start(Active& active, const traffic::Timetable& timetable) noexcept
{
    const std::uint64_t now = rte_rdtsc();
    active.timetable = timetable;
    active.started = true;
    active.meter_at_start = meter_.reading();
    active.has_edge = timetable.edges.has(1);
    if (active.has_edge) {
        active.next_edge = timetable.edges.edge(1);
    }
    for (const auto& stream : active.session->streams) {
        if (stream->sends() && stream->owned_by(*this)) {
            stream->pacer = pacing::Pacer{stream->spec.rate, stream->spec.datagram,
                stream->spec.burst, clock_.scale().ticks_per_second()};
            stream->pacer.start(now);
        }
    }
    for (const auto& stream : active.session->connections) {
        if (stream->owned_by(*this)) {
            tcp_.start(*stream, now, clock_.scale().ticks_per_second());
        }
    }
    refresh_senders();
}

void Poller::finish(Active& active, std::uint64_t now) noexcept
{
    end_streams(active, now, true);
    if (active.session->spec.server) {
        tcp_.close(*active.session, *this, clock_.scale().moment(now));
    }
    active.session->finished_by.fetch_add(1, std::memory_order_release);
}

// The next datagram of each stream gets new headers, because its template has a new number.
void Poller::renew_templates(const Session& session) noexcept
{
    for (const auto& stream : session.streams) {
        if (stream->owned_by(*this)) {
            make_template(*stream);
        }
    }
}

void Poller::remove(Active& active) noexcept
{
    Session& session = *active.session;
    const std::uint64_t now = rte_rdtsc();
    end_streams(active, now, true);
    last_flow_ = &no_flow_;
    flows_.remove_session(session);
    tcp_.remove(session, *this, clock_.scale().moment(now));
    active = active_[--active_count_];
    active_[active_count_] = {};
    refresh_senders();
    session.removed_by.fetch_add(1, std::memory_order_release);
}

// The streams that transmit() looks at, and whether packets are expected at all.
void Poller::refresh_senders() noexcept
{
    sender_count_ = 0;
    next_sender_ = 0;
    expects_packets_ = false;
    for (std::size_t i = 0; i < active_count_; ++i) {
        const Active& active = active_[i];
        expects_packets_ |= !active.started;  // hellos and replies
        const bool tcp = !active.session->connections.empty();
        expects_packets_ |= tcp;
        tags_ |= tcp;
        for (const auto& stream : active.session->streams) {
            expects_packets_ |= !stream->sends();
            if (stream->owned_by(*this) && active.started && stream->sends() && !stream->final) {
                senders_[sender_count_++] = stream.get();
            }
        }
    }
    tags_ |= sender_count_ > 0;
}

}  // namespace dpdkperf::engine
