// The life of a worker's connections: from SYN to the last reset.

#include "tcp_worker.hpp"

#include "dpdkperf/ports/self_check.hpp"
#include "dpdkperf/tcp/segment_size.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace dpdkperf::engine {

namespace {

// iperf3 waits so long for a cookie from 3.15 on (src/net.c, nread_read_timeout), and serves nobody
// else meanwhile.
constexpr auto kCookiePatience = std::chrono::seconds{10};
// The same if others wait: a client sends its cookie with the last segment of the handshake.
constexpr auto kCookiePatienceIfWanted = std::chrono::seconds{1};
// Who was turned away has so long to acknowledge it.
constexpr auto kFarewell = std::chrono::seconds{1};

tcp::Algorithm algorithm_of(traffic::Congestion congestion)
{
    return congestion == traffic::Congestion::kReno ? tcp::Algorithm::kReno
                                                    : tcp::Algorithm::kCubic;
}

}  // namespace

void TcpWorker::add(Session& session, const Poller& poller) noexcept
{
    if (session.connections.empty()) {
        return;
    }
    ++sessions_;
    for (const auto& stream : session.connections) {
        if (stream->owner.load(std::memory_order_relaxed) == nullptr) {
            continue;  // a server's, until its SYN comes
        }
        flows_.insert(*stream);  // segments may come to any poller
        if (stream->owned_by(poller)) {
            own(*stream, session.spec.next_hop);
        }
    }
}

void TcpWorker::own(TcpStream& stream, const Mac& next_hop) noexcept
{
    address(stream, next_hop);
    streams_[count_++] = &stream;
}

void TcpWorker::address(TcpStream& stream, const Mac& next_hop) noexcept
{
    stream.writer.emplace(wire::TcpFlow{.source_mac = mac_,
        .next_hop = next_hop,
        .source = stream.local,
        .destination = stream.remote,
        .tos = stream.spec.tos,
        .flow_label = stream.spec.flow_label});
}

// What a stream may send before it is the next one's turn. Where each packet is copied: a call of
// the driver, and not a packet more, which would be a system call more (af_xdp).
std::uint32_t TcpWorker::turn_bytes(const tcp::Settings& settings) const noexcept
{
    if (queue_.pinned != nullptr) {
        return ports::kMostTsoBytes;
    }
    return queue_.burst *
           tcp::usual_payload_bytes(settings.mtu_bytes, settings.ipv4, settings.max_segment_bytes);
}

tcp::Settings TcpWorker::settings_of(const TcpStream& stream, Moment now) const noexcept
{
    const traffic::TcpSpec& spec = *stream.session->spec.tcp;
    tcp::Settings settings;
    settings.initial_sequence = tcp::initial_sequence(secret_, stream.local, stream.remote, now);
    settings.timestamp_offset = tcp::timestamp_offset(secret_, stream.local, stream.remote);
    settings.ipv4 = stream.local.address.is_v4();
    settings.mtu_bytes = mtu_bytes_;
    settings.max_segment_bytes = spec.mss_bytes;
    if (spec.window_bytes > 0) {
        settings.receive_window_bytes = spec.window_bytes;
    }
    settings.no_delay = spec.no_delay;
    settings.congestion = algorithm_of(spec.congestion);
    settings.max_pacing_rate = spec.max_pacing_rate;
    settings.user_timeout = spec.user_timeout;
    settings.max_burst_bytes = turn_bytes(settings);
    settings.kept_prefix_bytes = static_cast<std::uint32_t>(stream.received_prefix());
    settings.store = stream.spec.store;
    return settings;
}

void TcpWorker::connect(TcpStream& stream, Moment now) noexcept
{
    stream.error.store(0, std::memory_order_relaxed);
    stream.refused.store(false, std::memory_order_relaxed);
    stream.parted.store(false, std::memory_order_relaxed);
    stream.connection.connect(settings_of(stream, now), now);
    stream.offered_end = traffic::TcpSpec::kCookieBytes;
    stream.connection.offer(stream.offered_end);
    stream.due = true;
}

TcpStream* TcpWorker::accept(Session& session, const Mac& next_hop, const Endpoint& local,
    const Endpoint& remote, const Poller& poller, Moment now) noexcept
{
    vacate_places(now);
    TcpStream* const stream = take_place(session, poller);
    if (stream == nullptr) {
        return nullptr;
    }
    stream->local = local;
    stream->remote = remote;
    stream->remote_port = remote.port;
    stream->since = now;
    flows_.insert(*stream);
    own(*stream, next_hop);
    stream->connection.listen(settings_of(*stream, now), now);
    return stream;
}

// Pollers compete for the places, which are taken in the order of iperf3's streams.
TcpStream* TcpWorker::take_place(Session& session, const Poller& poller) noexcept
{
    for (const auto& stream : session.connections) {
        const Poller* nobody = nullptr;
        if (stream->owner.compare_exchange_strong(nobody, &poller, std::memory_order_acquire)) {
            session.place_wanted.store(false, std::memory_order_relaxed);
            return stream.get();
        }
    }
    session.place_wanted.store(true, std::memory_order_relaxed);
    return nullptr;
}

void TcpWorker::release(TcpStream& stream) noexcept
{
    frames_.forget(*stream.writer);
    const auto all = std::span{streams_}.first(count_);
    *std::ranges::find(all, &stream) = all.back();
    --count_;
    next_ = 0;
}

bool TcpWorker::holds(const TcpStream& stream) const noexcept
{
    const auto all = std::span{streams_}.first(count_);
    return std::ranges::find(all, &stream) != all.end();
}

void TcpWorker::vacate_places(Moment now) noexcept
{
    for (std::size_t i = 0; i < count_;) {
        TcpStream& stream = *streams_[i];
        const bool open = stream.open.load(std::memory_order_relaxed);
        if (stream.session->spec.server && !open && has_overstayed(stream, now)) {
            vacate(stream, now);  // another one is there now
        } else {
            ++i;
        }
    }
}

// Whoever came was not the client: it had another cookie, went before it had shown one, or is
// silent. The latter may be the client on a bad day, and stays until somebody else comes.
bool TcpWorker::has_overstayed(const TcpStream& stream, Moment now) noexcept
{
    const tcp::State state = stream.connection.state();
    if (stream.turned_away) {  // until it has read why, and has had time to go
        return state == tcp::State::kFinWait2 || state == tcp::State::kTimeWait ||
               state == tcp::State::kClosed || now - stream.since >= kFarewell;
    }
    if (state == tcp::State::kClosed) {
        return !stream.due;
    }
    const bool wanted = stream.session->place_wanted.load(std::memory_order_relaxed);
    return now - stream.since >= (wanted ? kCookiePatienceIfWanted : kCookiePatience);
}

void TcpWorker::vacate(TcpStream& stream, Moment now) noexcept
{
    if (stream.connection.state() != tcp::State::kClosed) {
        send_reset(stream, now);
    }
    release(stream);
    flows_.remove(stream);
    stream.sent_end = stream.offered_end = 0;
    stream.deadline = Moment::max();
    stream.due = stream.turned_away = false;
    stream.error.store(0, std::memory_order_relaxed);
    stream.refused.store(false, std::memory_order_relaxed);
    stream.parted.store(false, std::memory_order_relaxed);
    stream.owner.store(nullptr, std::memory_order_release);
}

void TcpWorker::start(
    TcpStream& stream, std::uint64_t now_tsc, std::uint64_t ticks_per_second) noexcept
{
    if (!stream.sends()) {
        return;
    }
    stream.pacer =
        pacing::Pacer{stream.spec.rate, stream.spec.datagram, stream.spec.burst, ticks_per_second};
    stream.pacer.start(now_tsc);
    stream.started = true;
    if (stream.spec.rate.bps() == 0) {
        stream.offered_end = stream.limit();
        stream.connection.offer(stream.offered_end);
    }
    stream.due = true;
}

void TcpWorker::close(Session& session, const Poller& poller, Moment now) noexcept
{
    for (const auto& stream : session.connections) {
        if (stream->owned_by(poller)) {
            stream->connection.close(now);
            stream->due = true;
        }
    }
}

void TcpWorker::set_next_hop(
    const Session& session, const Mac& next_hop, const Poller& poller) noexcept
{
    for (const auto& stream : session.connections) {
        if (stream->owned_by(poller)) {
            address(*stream, next_hop);
        }
    }
}

// Whoever still listens is told that nobody does here.
void TcpWorker::remove(Session& session, const Poller& poller, Moment now) noexcept
{
    if (session.connections.empty()) {
        return;
    }
    --sessions_;
    for (const auto& stream : session.connections) {
        if (stream->owned_by(poller)) {
            send_reset(*stream, now);
        }
    }
    frames_.send(queue_);
    const auto is_its = [&session](const TcpStream* stream) { return stream->session == &session; };
    const auto all = std::span{streams_}.first(count_);
    const auto kept = std::remove_if(all.begin(), all.end(), is_its);
    count_ = static_cast<std::size_t>(kept - all.begin());
    next_ = 0;
    flows_.remove_session(session);
}

void TcpWorker::send_reset(TcpStream& stream, Moment now) noexcept
{
    frames_.forget(*stream.writer);
    if (stream.connection.state() == tcp::State::kTimeWait) {
        return;
    }
    stream.connection.abort(now);
    tcp::Segment reset;
    if (frames_.ready(queue_) && stream.connection.next_segment(now, reset)) {
        frames_.add(reset, *stream.writer, nullptr, queue_);
    }
    frames_.send(queue_);
}

}  // namespace dpdkperf::engine
