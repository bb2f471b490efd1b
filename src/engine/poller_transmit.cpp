#include "poller.hpp"

#include <algorithm>

#include <rte_mempool.h>

namespace dpdkperf::engine {

bool Poller::transmit(std::uint64_t now) noexcept
{
    // What the port has not taken is offered again, with more: it takes no fewer at a time then.
    if (sender_count_ > 0 && burst_.room() > 0) {
        fill(now);
    }
    if (burst_.empty()) {
        return false;
    }
    const std::uint16_t taken = burst_.send(queues_.front());
    if (some_exhausted_) [[unlikely]] {
        end_exhausted(now);
    }
    return taken > 0;
}

// Takes what is due from the senders in turn, beginning behind the one that was last.
void Poller::fill(std::uint64_t now) noexcept
{
    const StampTime time = StampTime::of(clock_.scale().moment(now));
    for (std::size_t tried = 0; tried < sender_count_ && burst_.room() > 0; ++tried) {
        UdpStream& stream = *senders_[next_sender_];
        next_sender_ = next_sender_ + 1 < sender_count_ ? next_sender_ + 1 : 0;
        fill_from(stream, now, time);
    }
}

void Poller::fill_from(UdpStream& stream, std::uint64_t now, const StampTime& time) noexcept
{
    const auto room =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(burst_.room(), stream.left()));
    const std::uint32_t due = stream.pacer.allowance(now, room);
    if (due == 0) {
        return;
    }
    rte_mbuf** mbufs = burst_.tail();
    // Raw: what the mbufs hold stays. The pool's own put and get do not touch them.
    if (rte_mempool_get_bulk(queues_.front().pool, reinterpret_cast<void**>(mbufs), due) != 0) {
        stream.pacer.give_back(due);
        stream.session->pool_empty.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    const std::span made{mbufs, due};
    if (stream.datagrams.wide()) {
        stream.datagrams.make<true>(made, context_.tags, time, stream.stamped + 1);
    } else {
        stream.datagrams.make<false>(made, context_.tags, time, stream.stamped + 1);
    }
    stream.stamped += due;
    burst_.add(stream, static_cast<std::uint16_t>(due));
    some_exhausted_ |= stream.left() == 0;
}

// Ends the senders that have sent all that the user wants; what waits for the port is not sent yet.
void Poller::end_exhausted(std::uint64_t now) noexcept
{
    const Moment at = clock_.scale().moment(now);
    bool waits = false, ended = false;
    for (std::size_t i = 0; i < sender_count_; ++i) {
        UdpStream& stream = *senders_[i];
        if (stream.left() > 0) {
            continue;
        }
        if (burst_.holds(stream)) {
            waits = true;
        } else {
            ended = true;
            finalise(stream, *find(stream.session), at);
        }
    }
    some_exhausted_ = waits;
    if (ended) {
        refresh_senders();
    }
}

// Before a session's senders end: what they have stamped leaves if the port takes it now, else it
// was never sent.
void Poller::settle(const Session& session) noexcept
{
    constexpr int kTries = 16;
    for (int i = 0; i < kTries && !burst_.empty(); ++i) {
        burst_.send(queues_.front());
    }
    burst_.drop(session);
    // An empty burst makes a driver look after what it has not yet handed on (af_xdp).
    queues_.front().transmit(nullptr, 0);
}

}  // namespace dpdkperf::engine
