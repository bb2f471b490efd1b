#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "poller.hpp"

#include <algorithm>
#include <span>

#include <rte_ethdev.h>
#include <rte_prefetch.h>

namespace dpdkperf::engine {

namespace {

constexpr std::uint16_t kRxBurst = 64;
// How often a poller that expects nothing looks whether something has come.
constexpr std::uint32_t kIdleTurns = 64;

template <RxChecksum kChecksum>
bool checksum_ok(const wire::UdpView& view) noexcept
{
    if constexpr (kChecksum == RxChecksum::kVerifyOrPartial) {
        return wire::udp_checksum_partial(view) || wire::udp_checksum_ok(view);
    } else {
        return wire::udp_checksum_ok(view);
    }
}

}  // namespace

template <RxChecksum kChecksum>
void Poller::receive(std::uint64_t now) noexcept
{
    if (!expects_packets_ && ++turn_ % kIdleTurns != 0) {
        return;
    }
    for (const ports::QueuePair& queue : queues_) {
        std::array<rte_mbuf*, kRxBurst> mbufs;
        const std::uint16_t n =
            rte_eth_rx_burst(queue.port_id, queue.queue_id, mbufs.data(), kRxBurst);
        if (n == 0) {
            continue;
        }
        const auto since_epoch = clock_.scale().moment(now).time_since_epoch();
        const double now_s = std::chrono::duration<double>(since_epoch).count();
        constexpr std::uint16_t kAhead = 4;
        for (std::uint16_t i = 0; i < std::min(n, kAhead); ++i) {
            rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void*));
        }
        for (std::uint16_t i = 0; i < n; ++i) {
            if (i + kAhead < n) {
                rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + kAhead], void*));
            }
            context_.tags.of(*mbufs[i]) = 0;  // whatever we had written is gone
            take<kChecksum>(*mbufs[i], now_s);
        }
        rte_pktmbuf_free_bulk(mbufs.data(), n);
    }
}

template void Poller::receive<RxChecksum::kVerify>(std::uint64_t now) noexcept;
template void Poller::receive<RxChecksum::kVerifyOrPartial>(std::uint64_t now) noexcept;

template <RxChecksum kChecksum>
void Poller::take(rte_mbuf& mbuf, double now_s) noexcept
{
    const std::span frame{rte_pktmbuf_mtod(&mbuf, const std::byte*), mbuf.data_len};
    const wire::UdpView view = wire::parse_udp(frame);
    if (view.fault != wire::UdpFault::kNone) [[unlikely]] {
        switch (view.fault) {
        case wire::UdpFault::kChecksum:
            blame<&Session::bad_checksum>();
            break;
        case wire::UdpFault::kLength:
            blame<&Session::bad_length>();
            break;
        case wire::UdpFault::kNotUdp:
        case wire::UdpFault::kNone:
            blame<&Session::unexpected>();
            break;
        }
        return;
    }
    if (!checksum_ok<kChecksum>(view)) [[unlikely]] {
        blame<&Session::bad_checksum>();
        return;
    }
    if (UdpStream* stream = flows_.find(view.destination, view.source)) [[likely]] {
        take_for(*stream, view.payload(), now_s);
    } else {
        take_stranger(view);
    }
}

void Poller::take_for(UdpStream& stream, std::span<const std::byte> payload, double now_s) noexcept
{
    if (!stream.open.load(std::memory_order_relaxed)) [[unlikely]] {
        take_reply(stream, payload);
        return;
    }
    if (stream.sends()) {
        return;  // a reply that came twice
    }
    if (stream.final) [[unlikely]] {
        stream.late.add(1);
        return;
    }
    wire::Stamp stamp;
    if (!wire::read_stamp(payload, stream.spec.counters_64bit, stamp)) [[unlikely]] {
        blame<&Session::bad_length>();
        return;
    }
    const double sent_s = stamp.seconds + stamp.microseconds * 1e-6;
    stream.receiver.on_datagram(stamp.sequence, sent_s, now_s);
    stream.datagrams_done.add(1);
    // iperf3 reads at most the agreed length of a datagram; what is longer is cut.
    stream.bytes_done.add(std::min<std::uint64_t>(payload.size(), stream.spec.datagram.value));
}

// The answer to our hello. Old servers say something else, and big-endian ones say it backwards.
// Like iperf3, we look at the first datagram only.
void Poller::take_reply(UdpStream& stream, std::span<const std::byte> payload) noexcept
{
    const std::uint32_t word =
        payload.size() == wire::kHelloSize ? load_be<std::uint32_t>(payload.data()) : 0;
    switch (word) {
    case wire::kLegacyReply:
    case wire::kBigEndianLegacyReply:
        stream.legacy_reply = true;
        break;
    case wire::kReply:
    case wire::kBigEndianReply:
        break;
    default:
        stream.refused.store(true, std::memory_order_release);
        return;
    }
    stream.remote_port = stream.remote.port;
    stream.open.store(true, std::memory_order_release);
}

void Poller::take_stranger(const wire::UdpView& view) noexcept
{
    if (Session* session = expecting(view)) {
        take_hello(*session, view);
    } else {
        blame<&Session::unexpected>();
    }
}

// The server's session that still waits for streams from this address.
Session* Poller::expecting(const wire::UdpView& view) noexcept
{
    for (std::size_t i = 0; i < active_count_; ++i) {
        Session& session = *active_[i].session;
        const std::uint32_t next = session.next_hello.load(std::memory_order_relaxed);
        if (session.spec.server && !active_[i].started && next < session.streams.size() &&
            view.source.address == session.spec.remote &&
            view.destination.address == session.spec.local &&
            view.destination.port == session.streams[next]->spec.local_port) {
            return &session;
        }
    }
    return nullptr;
}

// iperf3's server takes the first datagram from a new port as the hello of the next stream,
// whatever it holds; we want it to be as short as a hello, or a test that has just ended could
// open a stream of the next.
void Poller::take_hello(Session& session, const wire::UdpView& view) noexcept
{
    constexpr std::size_t kMaxHello = 16;
    if (view.payload().size() > kMaxHello) {
        blame<&Session::unexpected>();
        return;
    }
    const std::uint32_t index = session.next_hello.fetch_add(1, std::memory_order_relaxed);
    if (index >= session.streams.size()) {
        return;  // another poller was faster with the last one
    }
    UdpStream& stream = *session.streams[index];
    stream.local = view.destination;
    stream.remote = view.source;
    stream.remote_port = view.source.port;
    stream.owner.store(this, std::memory_order_relaxed);
    make_template(stream);
    flows_.insert(stream);
    // A big-endian 3.12 to 3.16 sends the words the other way round and wants them so.
    const bool swapped = view.payload().size() >= wire::kHelloSize &&
                         load_be<std::uint32_t>(view.payload().data()) == wire::kReply;
    send_now(stream, swapped ? wire::kHello : wire::kReply);
    stream.open.store(true, std::memory_order_release);
}

// Counts a packet that belongs to no stream. Sessions share a port, so all of them are told.
template <std::atomic<std::uint64_t> Session::*kTrouble>
void Poller::blame() noexcept
{
    for (std::size_t i = 0; i < active_count_; ++i) {
        (active_[i].session->*kTrouble).fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace dpdkperf::engine
