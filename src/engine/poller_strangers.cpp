// Packets that are not this poller's: the kernel's, other pollers', and such that nobody wants.

#include "dpdkperf/wire/iperf_datagram.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "poller.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace dpdkperf::engine {

// No datagram, or a broken one.
bool Poller::take_faulty(rte_mbuf& mbuf, wire::UdpFault fault) noexcept
{
    switch (fault) {
    case wire::UdpFault::kChecksum:
        blame<&Session::bad_checksum>();
        return true;
    case wire::UdpFault::kLength:
        blame<&Session::bad_length>();
        return true;
    case wire::UdpFault::kNotUdp:
    case wire::UdpFault::kNone:
        break;
    }
    return pass_to_kernel(mbuf);
}

bool Poller::take_faulty(rte_mbuf& mbuf, wire::TcpFault fault) noexcept
{
    switch (fault) {
    case wire::TcpFault::kIpChecksum:
        blame<&Session::bad_checksum>();
        return true;
    case wire::TcpFault::kLength:
        blame<&Session::bad_length>();
        return true;
    case wire::TcpFault::kAddress:
        blame<&Session::unexpected>();
        return true;
    case wire::TcpFault::kNotTcp:
    case wire::TcpFault::kNone:
        break;
    }
    return pass_to_kernel(mbuf);
}

// What the kernel was told of packets of ours. Only the owner of their stream can say whether it
// has sent them.
void Poller::take_icmp(const wire::IcmpError& error, std::uint64_t now) noexcept
{
    if (error.protocol == wire::kProtocolTcp) {
        TcpStream* const stream = tcp_.find(error.source, error.destination);
        if (stream != nullptr && stream->owned_by(*this)) {
            tcp_.take_icmp(*stream, error, clock_.scale().moment(now));
        }
        return;
    }
    UdpEntry* const flow = flows_.find(error.source, error.destination);
    if (flow != nullptr && flow->stream->owned_by(*this)) {
        take_icmp(error, *flow->stream);
    }
}

// As Linux's connected UDP sockets: an error that may go by itself is none.
void Poller::take_icmp(const wire::IcmpError& error, UdpStream& stream) noexcept
{
    if (error.kind == wire::IcmpError::Kind::kTooBig) {
        const std::size_t headers =
            (stream.local.address.is_v4() ? wire::kIpv4Size : wire::kIpv6Size) + wire::kUdpSize;
        if (!stream.sends() || error.mtu_bytes <= headers ||
            error.mtu_bytes >= headers + stream.spec.datagram.value) {
            return;
        }
        stream.max_datagram.store(error.mtu_bytes - headers, std::memory_order_relaxed);
    } else if (!error.fatal) {
        return;
    }
    stream.error.store(error.error, std::memory_order_release);
    if (!stream.open.load(std::memory_order_relaxed)) {
        stream.refused.store(true, std::memory_order_release);
    }
}

// The next connection of a server's test, if this is its SYN. Everything else between the same two
// hosts is the kernel's, their control connection first of all.
TcpStream* Poller::accept(const wire::TcpView& view) noexcept
{
    constexpr std::uint8_t kMask = wire::kTcpSyn | wire::kTcpAck | wire::kTcpRst | wire::kTcpFin;
    Active* const active = serving(view.destination, view.source.address, true);
    if (active == nullptr || active->started || (view.header.flags & kMask) != wire::kTcpSyn) {
        return nullptr;
    }
    return tcp_.accept(
        *active->session, active->next_hop, view.destination, view.source, *this, burst_at_);
}

// A datagram of no stream. From the peer of a server's test to its port: the hello of the next
// stream, or something that nobody expects. All others are the kernel's.
bool Poller::take_stranger(rte_mbuf& mbuf, const wire::UdpView& view) noexcept
{
    Active* const active = serving(view.destination, view.source.address, false);
    if (active == nullptr) {
        return pass_to_kernel(mbuf);
    }
    if (!wire::udp_checksum_ok(view) && !wire::udp_checksum_partial(view)) {
        blame<&Session::bad_checksum>();
        return true;
    }
    if (expects_stream(*active)) {
        take_hello(*active, view);
    } else {
        blame<&Session::unexpected>();
    }
    return true;
}

// The server's session between these addresses, on this port: of several the one that is not
// complete. Control opens a second one only when all streams of the first are open, because nothing
// tells whose a hello or a SYN is.
Poller::Active* Poller::serving(const Endpoint& local, const IpAddress& remote, bool tcp) noexcept
{
    Active* complete = nullptr;
    for (Active& active : std::span{active_}.first(active_count_)) {
        const traffic::SessionSpec& spec = active.session->spec;
        if (spec.server && spec.tcp.has_value() == tcp && remote == spec.remote &&
            local.address == spec.local && !spec.streams.empty() &&
            local.port == spec.streams.front().local_port) {
            if (expects_stream(active)) {
                return &active;
            }
            complete = &active;
        }
    }
    return complete;
}

bool Poller::expects_stream(const Active& active) noexcept
{
    const Session& session = *active.session;
    if (active.started) {
        return false;
    }
    if (!session.spec.tcp) {
        return session.next_hello.load(std::memory_order_relaxed) < session.streams.size();
    }
    // A place that a stranger has taken is free again.
    return std::ranges::any_of(session.connections,
        [](const auto& stream) { return !stream->open.load(std::memory_order_relaxed); });
}

// iperf3's server takes the first datagram from a new port as the hello of the next stream,
// whatever it holds; we want it to be as short as a hello, or a test that has just ended could
// open a stream of the next.
void Poller::take_hello(Active& active, const wire::UdpView& view) noexcept
{
    constexpr std::size_t kMaxHello = 16;
    if (view.payload().size() > kMaxHello) {
        blame<&Session::unexpected>();
        return;
    }
    Session& session = *active.session;
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

// A segment of a stream that is not open. A NIC brings all packets of a flow to the queue that the
// answer to our SYN came to, so a stream that will receive moves to whoever polls that; one that
// sends stays where it was dealt to (docs/decisions/0005). The answer follows by hand_over(), and
// with it the next owner learns that it is.
void Poller::settle_owner(TcpStream& stream, const wire::TcpHeader& header) noexcept
{
    constexpr std::uint8_t kAnswer = wire::kTcpSyn | wire::kTcpAck;
    const bool answer = (header.flags & kAnswer) == kAnswer;
    if (stream.owner.load(std::memory_order_acquire) != this) {
        if (answer) {
            stream.arrives_at.store(this, std::memory_order_relaxed);
        }
        return;
    }
    if (!tcp_.holds(stream)) {
        tcp_.adopt(stream, find(stream.session)->next_hop);
        return;
    }
    const Poller* const next = stream.arrives_at.load(std::memory_order_relaxed);
    if (answer && next != nullptr && !stream.sends() &&
        stream.connection.state() == tcp::State::kSynSent) {
        tcp_.release(stream);
        stream.owner.store(next, std::memory_order_release);
    }
}

// To the poller that has the stream: where RSS was not known, or has changed.
bool Poller::hand_over(rte_mbuf& mbuf, const Stream& stream) noexcept
{
    const Poller& owner = *stream.owner.load(std::memory_order_relaxed);
    if (rte_ring_enqueue(owner.inbox_.get(), &mbuf) == 0) {
        stream.session->handed_over.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    stream.session->not_handed_over.fetch_add(1, std::memory_order_relaxed);
    return true;
}

// To the kernel twin of a port of our own. Elsewhere the kernel has taken its packets before.
bool Poller::pass_to_kernel(rte_mbuf& mbuf) noexcept
{
    if (context_.exceptions == nullptr) {
        blame<&Session::unexpected>();
        return true;
    }
    return !context_.exceptions->to_kernel(&mbuf);
}

// What the port does not take is offered again in the next turn.
void Poller::send_for_kernel() noexcept
{
    if (!sends_for_kernel_) {
        return;
    }
    if (kernels_begin_ == kernels_end_) {
        if (!context_.exceptions->from_kernel_waits()) {
            return;
        }
        kernels_begin_ = 0;
        kernels_end_ = context_.exceptions->from_kernel(kernels_);
        for (rte_mbuf* mbuf : std::span{kernels_}.first(kernels_end_)) {
            context_.tags.of(*mbuf) = 0;
        }
    }
    const auto taken = queues_.front().transmit_unseen(
        &kernels_[kernels_begin_], static_cast<std::uint16_t>(kernels_end_ - kernels_begin_));
    kernels_begin_ = static_cast<std::uint16_t>(kernels_begin_ + taken);
}

}  // namespace dpdkperf::engine
