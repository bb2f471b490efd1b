#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "poller.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <rte_mbuf.h>
#include <rte_mempool.h>
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

constexpr std::size_t kPrefetched = 6;

[[gnu::always_inline]] inline void prefetch_ahead(
    std::span<rte_mbuf* const> mbufs, std::size_t at) noexcept
{
    // What the driver has copied since has driven the first mbufs of a burst out of the first
    // cache.
    if (at + 2 * kPrefetched < mbufs.size()) {
        rte_prefetch0(mbufs[at + 2 * kPrefetched]);
    }
    if (at + kPrefetched < mbufs.size()) {
        rte_prefetch0(rte_pktmbuf_mtod(mbufs[at + kPrefetched], void*));
    }
}

// Whether an mbuf is all that there is to be given back, and to this pool: then it need not be
// taken to pieces, and of its two lines the second is not looked at (mbuf_core.h, DPDK 22.11).
[[gnu::always_inline]] inline bool is_plain(const rte_mbuf& mbuf, const rte_mempool* pool) noexcept
{
    return mbuf.nb_segs == 1 && rte_mbuf_refcnt_read(&mbuf) == 1 && RTE_MBUF_DIRECT(&mbuf) &&
           mbuf.pool == pool;
}

// Plain mbufs of one pool. They are null afterwards, which the bulk free passes over.
void give_back(std::span<rte_mbuf*> mbufs) noexcept
{
    rte_mempool_put_bulk(mbufs[0]->pool, reinterpret_cast<void**>(mbufs.data()),
        static_cast<unsigned>(mbufs.size()));
    std::ranges::fill(mbufs, nullptr);
}

// Takes stamps of datagrams that have come at the same time into account. Those that a sender has
// stamped together have the same time and follow each other: they are counted, and handed on in
// one.
class StampReader {
public:
    StampReader(UdpStream& stream, double now_s) noexcept
        : wide_{stream.spec.counters_64bit}, now_s_{now_s}, burst_{stream.receiver}
    {
    }
    StampReader(const StampReader&) = delete;
    StampReader& operator=(const StampReader&) = delete;
    ~StampReader() { hand_on(); }

    // False: no stamp.
    [[gnu::always_inline]] bool take(std::span<const std::byte> payload) noexcept
    {
        wire::Stamp stamp;
        if (!wire::read_stamp(payload, wide_, stamp)) [[unlikely]] {
            return false;
        }
        if (stamp.sequence != first_ + count_ || stamp.microseconds != microseconds_ ||
            stamp.seconds != seconds_) [[unlikely]] {
            hand_on();
            first_ = stamp.sequence;
            seconds_ = stamp.seconds;
            microseconds_ = stamp.microseconds;
        }
        ++count_;
        return true;
    }

private:
    void hand_on() noexcept
    {
        if (count_ > 0) {
            burst_.on_run(first_, count_, seconds_ + microseconds_ * 1e-6, now_s_);
            count_ = 0;
        }
    }

    const bool wide_;
    const double now_s_;
    std::uint32_t seconds_ = 0, microseconds_ = 0;
    std::uint64_t first_ = 0, count_ = 0;
    stats::UdpReceiver::Burst burst_;
};

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
        free_received();
        const std::uint16_t n = queue.receive(mbufs.data());
        if (captured_ != nullptr) [[unlikely]] {
            show_received(std::span{mbufs}.first(n));
        }
        take_all<kChecksum>(std::span{mbufs}.first(n), now, !tags_);
        received = static_cast<std::uint16_t>(received + n);
    }
    if (rte_ring_empty(inbox_.get()) == 0) [[unlikely]] {
        free_received();
        const unsigned n = rte_ring_dequeue_burst(
            inbox_.get(), reinterpret_cast<void**>(mbufs.data()), mbufs.size(), nullptr);
        take_all<kChecksum>(std::span{mbufs}.first(n), now, false);
        received = static_cast<std::uint16_t>(received + n);
    }
    return received;
}

// A driver replaces what it hands over by what the pool's cache took last. What take_all() leaves
// goes back right before it does so: then it has these again, and those that hold what we send stay
// with us.
void Poller::free_received() noexcept
{
    rte_pktmbuf_free_bulk(received_.data(), received_count_);
    received_count_ = 0;
}

template std::uint16_t Poller::receive<RxChecksum::kVerify>(std::uint64_t now) noexcept;
template std::uint16_t Poller::receive<RxChecksum::kVerifyOrPartial>(std::uint64_t now) noexcept;
template std::uint16_t Poller::receive<RxChecksum::kTrust>(std::uint64_t now) noexcept;

template <RxChecksum kChecksum>
void Poller::take_all(std::span<rte_mbuf*> mbufs, std::uint64_t now, bool untagged) noexcept
{
    if (mbufs.empty()) {
        return;
    }
    burst_at_ = clock_.scale().moment(now);
    const double now_s = std::chrono::duration<double>(burst_at_.time_since_epoch()).count();
    for (rte_mbuf* mbuf : mbufs.first(std::min(mbufs.size(), kPrefetched))) {
        rte_prefetch0(rte_pktmbuf_mtod(mbuf, void*));
    }
    for (std::size_t i = 0; i < mbufs.size(); ++i) {
        i += take_run<kChecksum>(mbufs.subspan(i), now_s, untagged);
        while (i < mbufs.size() && turn_to_next_flow(*mbufs[i])) {
            const std::size_t taken = take_run<kChecksum>(mbufs.subspan(i), now_s, untagged);
            if (taken == 0) {
                break;
            }
            i += taken;
        }
        if (i == mbufs.size()) {
            break;
        }
        prefetch_ahead(mbufs, i);
        context_.tags.of(*mbufs[i]) = 0;
        if (!take<kChecksum>(*mbufs[i], now_s)) [[unlikely]] {
            mbufs[i] = nullptr;
        }
    }
    const auto kept = std::ranges::copy_if(
        mbufs, received_.begin(), [](const rte_mbuf* mbuf) { return mbuf != nullptr; });
    received_count_ = static_cast<std::uint16_t>(kept.out - received_.begin());
}

// Flows that share a poller tend to follow each other as they did before. True: this is such a
// packet.
inline bool Poller::turn_to_next_flow(const rte_mbuf& mbuf) noexcept
{
    UdpEntry* const next = last_flow_->next;
    if (next == nullptr ||
        !next->expected.matches({rte_pktmbuf_mtod(&mbuf, const std::byte*), mbuf.data_len})) {
        return false;
    }
    last_flow_ = next;
    return true;
}

// Most packets look like the one before: those at the beginning that do, of a stream that is
// received here. Returns how many; the next one is for take().
template <RxChecksum kChecksum>
std::size_t Poller::take_run(std::span<rte_mbuf*> mbufs, double now_s, bool untagged) noexcept
{
    UdpStream* const stream = last_flow_->stream;
    if (stream == nullptr || !stream->receives(*this)) {
        return 0;
    }
    const wire::UdpPattern expected = last_flow_->expected;
    const TagField tags = context_.tags;
    std::size_t taken = 0, bytes = 0;
    bool plain = true;
    {
        StampReader stamps{*stream, now_s};
        for (; taken < mbufs.size(); ++taken) {
            prefetch_ahead(mbufs, taken);
            rte_mbuf& mbuf = *mbufs[taken];
            const std::span frame{rte_pktmbuf_mtod(&mbuf, const std::byte*), mbuf.data_len};
            if (!expected.matches(frame)) {
                break;
            }
            const wire::UdpView view = expected.view(frame);
            if (!checksum_ok<kChecksum>(mbuf, view) || !stamps.take(view.payload())) [[unlikely]] {
                break;
            }
            if (!untagged) {
                tags.of(mbuf) = 0;  // whatever we had written is gone
            }
            plain &= is_plain(mbuf, mbufs[0]->pool);
            bytes = view.payload().size();
        }
    }
    if (taken > 0) {
        stream->add_received(taken, bytes);
        if (plain) [[likely]] {
            give_back(mbufs.first(taken));
        }
    }
    return taken;
}

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
    last_flow_->next = flow;
    last_flow_ = flow;
    if (!flow->expected.matches(frame)) {
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
    if (mbuf.next != nullptr) {
        complete_payload(mbuf, stream->spec.store != nullptr, view);
    }
    tcp_.arrive(*stream, view, packets_in(mbuf, view), burst_at_);
    return true;
}

// Of a frame in several pieces: the beginning of the payload, or all of it where it is kept.
void Poller::complete_payload(const rte_mbuf& mbuf, bool whole, wire::TcpView& view) noexcept
{
    if (whole && view.payload_bytes > view.payload.size()) {
        const auto* const frame = rte_pktmbuf_mtod(&mbuf, const std::byte*);
        const auto header_bytes =
            static_cast<std::size_t>(view.tcp.data() - frame) + view.tcp_bytes - view.payload_bytes;
        const auto* const bytes = static_cast<const std::byte*>(
            rte_pktmbuf_read(&mbuf, static_cast<std::uint32_t>(header_bytes),
                static_cast<std::uint32_t>(view.payload_bytes), joined_.data()));
        view.payload = {bytes, view.payload_bytes};
    } else if (view.payload.empty()) {
        view.payload = payload_of(*mbuf.next, view);
    }
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
    if (!StampReader{stream, now_s}.take(payload)) [[unlikely]] {
        blame<&Session::bad_length>(*stream.session);
        return;
    }
    stream.add_received(1, payload.size());
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
