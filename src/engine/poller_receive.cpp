#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "poller.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <rte_prefetch.h>

namespace dpdkperf::engine {

namespace {

// How often a poller that expects nothing looks whether something has come.
constexpr std::uint32_t kIdleTurns = 64;

bool sum_ok(const rte_mbuf& /*mbuf*/, const wire::UdpView& view) noexcept
{
    return wire::udp_checksum_ok(view);
}

// More pieces than 64 KB in the smallest buffers of any plan.
constexpr std::size_t kMostPieces = 48;

bool sum_ok(const rte_mbuf& mbuf, const wire::TcpView& view) noexcept
{
    std::array<std::span<const std::byte>, kMostPieces> rest;
    std::size_t count = 0;
    for (const rte_mbuf* m = mbuf.next; m != nullptr && count < rest.size(); m = m->next) {
        rest[count++] = {rte_pktmbuf_mtod(m, const std::byte*), m->data_len};
    }
    return wire::tcp_checksum_ok(view, std::span{rest}.first(count));
}
bool sum_partial(const wire::UdpView& view) noexcept
{
    return wire::udp_checksum_partial(view);
}
bool sum_partial(const wire::TcpView& view) noexcept
{
    return wire::tcp_checksum_partial(view);
}

template <RxChecksum kChecksum, class View>
bool checksum_ok(const rte_mbuf& mbuf, const View& view) noexcept
{
    switch (mbuf.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
    case RTE_MBUF_F_RX_L4_CKSUM_BAD:
        return false;
    case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
    case RTE_MBUF_F_RX_L4_CKSUM_NONE:  // the data is good, the field need not be
        return true;
    default:
        break;
    }
    if constexpr (kChecksum == RxChecksum::kTrust) {
        return true;
    } else if constexpr (kChecksum == RxChecksum::kVerifyOrPartial) {
        return sum_partial(view) || sum_ok(mbuf, view);
    } else {
        return sum_ok(mbuf, view);
    }
}

// What of the payload lies in the frame's second piece, when all headers are in the first.
std::span<const std::byte> payload_of(const rte_mbuf& second, const wire::TcpView& view) noexcept
{
    const std::span all{rte_pktmbuf_mtod(&second, const std::byte*), second.data_len};
    return all.first(std::min(all.size(), view.payload_bytes));
}

// That LRO, or a peer's TSO, has left in one.
std::uint16_t packets_in(const rte_mbuf& mbuf, const wire::TcpView& view) noexcept
{
    const std::size_t each = mbuf.tso_segsz;
    if ((mbuf.ol_flags & RTE_MBUF_F_RX_LRO) == 0 || each == 0) {
        return 1;
    }
    return static_cast<std::uint16_t>(
        std::max<std::size_t>((view.payload_bytes + each - 1) / each, 1));
}

}  // namespace

// Returns how many packets came.
template <RxChecksum kChecksum>
std::uint16_t Poller::receive(std::uint64_t now) noexcept
{
    if (!expects_packets_ && ++turn_ % kIdleTurns != 0) {
        return 0;
    }
    std::array<rte_mbuf*, ports::kMostBurst> mbufs;
    std::uint16_t received = 0;
    for (const PollerQueue& queue : queues_) {
        const std::uint16_t n = queue.receive(mbufs.data());
        if (captured_ != nullptr) [[unlikely]] {
            show_received(std::span{mbufs}.first(n));
        }
        take_all<kChecksum>(std::span{mbufs}.first(n), now);
        received = static_cast<std::uint16_t>(received + n);
    }
    if (rte_ring_empty(inbox_.get()) == 0) [[unlikely]] {
        const unsigned n = rte_ring_dequeue_burst(
            inbox_.get(), reinterpret_cast<void**>(mbufs.data()), mbufs.size(), nullptr);
        take_all<kChecksum>(std::span{mbufs}.first(n), now);
        received = static_cast<std::uint16_t>(received + n);
    }
    return received;
}

template std::uint16_t Poller::receive<RxChecksum::kVerify>(std::uint64_t now) noexcept;
template std::uint16_t Poller::receive<RxChecksum::kVerifyOrPartial>(std::uint64_t now) noexcept;
template std::uint16_t Poller::receive<RxChecksum::kTrust>(std::uint64_t now) noexcept;

template <RxChecksum kChecksum>
void Poller::take_all(std::span<rte_mbuf*> mbufs, std::uint64_t now) noexcept
{
    if (mbufs.empty()) {
        return;
    }
    burst_at_ = clock_.scale().moment(now);
    const double now_s = std::chrono::duration<double>(burst_at_.time_since_epoch()).count();
    constexpr std::size_t kAhead = 4;
    for (rte_mbuf* mbuf : mbufs.first(std::min(mbufs.size(), kAhead))) {
        rte_prefetch0(rte_pktmbuf_mtod(mbuf, void*));
    }
    for (std::size_t i = 0; i < mbufs.size(); ++i) {
        if (i + kAhead < mbufs.size()) {
            rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + kAhead], void*));
        }
        context_.tags.of(*mbufs[i]) = 0;  // whatever we had written is gone
        if (!take<kChecksum>(*mbufs[i], now_s)) [[unlikely]] {
            mbufs[i] = nullptr;  // passed over by the bulk free
        }
    }
    rte_pktmbuf_free_bulk(mbufs.data(), static_cast<unsigned>(mbufs.size()));
}

// Most packets look like the one before.
template <RxChecksum kChecksum>
bool Poller::take(rte_mbuf& mbuf, double now_s) noexcept
{
    const std::span frame{rte_pktmbuf_mtod(&mbuf, const std::byte*), mbuf.data_len};
    if (last_flow_->expected.matches(frame)) [[likely]] {
        return take_ours<kChecksum>(
            mbuf, *last_flow_->stream, last_flow_->expected.view(frame), now_s);
    }
    if (tcp_.active() && wire::carries_tcp(frame)) {
        return take_tcp<kChecksum>(mbuf, frame);
    }
    const wire::UdpView view = wire::parse_udp(frame);
    if (view.fault != wire::UdpFault::kNone) [[unlikely]] {
        return take_faulty(mbuf, view.fault);
    }
    UdpEntry* const flow = flows_.find(view.destination, view.source);
    if (flow == nullptr) [[unlikely]] {
        return take_stranger(mbuf, view);
    }
    if (flow != last_flow_) {
        last_flow_ = flow;
    } else {
        flow->expected = {frame, view};
    }
    return take_ours<kChecksum>(mbuf, *flow->stream, view, now_s);
}

template <RxChecksum kChecksum>
inline bool Poller::take_ours(
    rte_mbuf& mbuf, UdpStream& stream, const wire::UdpView& view, double now_s) noexcept
{
    if (!checksum_ok<kChecksum>(mbuf, view)) [[unlikely]] {
        blame<&Session::bad_checksum>(*stream.session);
        return true;
    }
    if (!stream.open.load(std::memory_order_relaxed)) [[unlikely]] {
        take_reply(stream, view.payload());
    } else if (!stream.owned_by(*this)) [[unlikely]] {
        return hand_over(mbuf, stream);
    } else {
        take_for(stream, view.payload(), now_s);
    }
    return true;
}

template <RxChecksum kChecksum>
bool Poller::take_tcp(rte_mbuf& mbuf, std::span<const std::byte> frame) noexcept
{
    wire::TcpView view = wire::parse_tcp(frame, mbuf.pkt_len);
    if (view.fault != wire::TcpFault::kNone) [[unlikely]] {
        return take_faulty(mbuf, view.fault);
    }
    TcpStream* stream = tcp_.find(view.destination, view.source);
    const bool good = checksum_ok<kChecksum>(mbuf, view);
    if (stream == nullptr) [[unlikely]] {
        stream = good ? accept(view) : nullptr;
        if (stream == nullptr) {
            return pass_to_kernel(mbuf);
        }
    }
    if (!good) [[unlikely]] {
        blame<&Session::bad_checksum>(*stream->session);
        return true;
    }
    if (!stream->open.load(std::memory_order_relaxed)) [[unlikely]] {
        settle_owner(*stream, view.header);
    }
    if (!stream->owned_by(*this)) [[unlikely]] {
        return hand_over(mbuf, *stream);
    }
    if (view.payload.empty() && mbuf.next != nullptr) {
        view.payload = payload_of(*mbuf.next, view);
    }
    tcp_.arrive(*stream, view, packets_in(mbuf, view), burst_at_);
    return true;
}

void Poller::take_for(UdpStream& stream, std::span<const std::byte> payload, double now_s) noexcept
{
    if (stream.sends()) {
        return;  // a reply that came twice
    }
    if (stream.final) [[unlikely]] {
        stream.late.add(1);
        return;
    }
    wire::Stamp stamp;
    if (!wire::read_stamp(payload, stream.spec.counters_64bit, stamp)) [[unlikely]] {
        blame<&Session::bad_length>(*stream.session);
        return;
    }
    const double sent_s = stamp.seconds + stamp.microseconds * 1e-6;
    stream.receiver.on_datagram(stamp.sequence, sent_s, now_s);
    stream.datagrams_done.add(1);
    // iperf3 reads at most the agreed length of a datagram; what is longer is cut.
    stream.bytes_done.add(std::min<std::uint64_t>(payload.size(), stream.spec.datagram.value));
}

// The answer to our hello. Old servers say something else, and big-endian ones say it backwards.
// Like iperf3, we look at the first datagram only, but read over data where we shall receive.
//
// A NIC brings all packets of a flow to the queue that the answer came to. A stream that will
// receive therefore becomes ours; one that sends stays where it was dealt to. Nothing has begun
// yet, so its owner does not look at it (docs/decisions/0005).
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
        if (!stream.sends() && payload.size() > wire::kHelloSize) {
            return;
        }
        stream.refused.store(true, std::memory_order_release);
        return;
    }
    if (!stream.sends()) {
        stream.owner.store(this, std::memory_order_relaxed);
    }
    stream.remote_port = stream.remote.port;
    stream.open.store(true, std::memory_order_release);
}

}  // namespace dpdkperf::engine
