#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/tcp/info.hpp"
#include "dpdkperf/tcp/segment.hpp"
#include "dpdkperf/tcp/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dpdkperf::tcp {

// One TCP connection for a bulk stream in each direction (RFC 9293). Pure: no clock, no memory for
// payload (unless it is given a store), no I/O; the owner feeds segments and times, and asks what
// to transmit.
//
// All memory is allocated by the constructor; a connection is used again and again by connect() and
// listen(). One thread at a time. Moments never go back.
//
// The owner's loop: on_segment() for what has arrived, then next_segment() until it returns false;
// then nothing has to happen before next_deadline() or the next arrival. next_segment() is asked
// only while the owner can transmit: what is not asked for is not lost, it waits here.
class Connection {
public:
    explicit Connection(const Limits& limits = {});
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    // Both from any state: what was before is forgotten.
    void connect(const Settings& settings, Moment now) noexcept;
    void listen(const Settings& settings, Moment now) noexcept;

    void on_segment(const Arrival& arrival, Moment now) noexcept;

    // A packet of ours with this sequence number was too large for the path, whose MTU is
    // `mtu_bytes` (ICMP "fragmentation needed", RFC 1191; "packet too big", RFC 8201). Ignored if
    // the number is not that of data in flight or the MTU is below the protocol's minimum.
    void on_path_mtu(std::uint32_t sequence, std::uint32_t mtu_bytes, Moment now) noexcept;

    // A packet of ours with this sequence number could not be delivered, `error` is the errno of
    // the ICMP message. Ends a connect(); a connection that stands goes on, and Info tells of it
    // (RFC 5461, 4.1). Ignored if the number is not that of a SYN or of data in flight.
    void on_unreachable(std::uint32_t sequence, int error, Moment now) noexcept;

    // Runs the timers that are due and gives the next segment to transmit now. False: none.
    bool next_segment(Moment now, Segment& out) noexcept;

    // When next_segment() may have something without anything having arrived; Moment::max(): never.
    [[nodiscard]] Moment next_deadline() const noexcept;

    // One more acknowledgment is due than one that could wait for the end of the burst: a burst
    // that goes on should be interrupted by next_segment().
    [[nodiscard]] bool acknowledgment_urgent() const noexcept;

    // The application may send the stream up to `end_offset`; it never takes back. ~0: for ever.
    void offer(std::uint64_t end_offset) noexcept;
    // What has been offered and not yet sent is offered no longer, and nothing will be again. The
    // connection stays open.
    void withdraw() noexcept;
    // No more data will be offered: a FIN follows what was (of an endless offer: what was sent).
    void close(Moment now) noexcept;
    // Sends a reset at the next next_segment() and forgets the peer.
    void abort(Moment now) noexcept;

    [[nodiscard]] State state() const noexcept;
    // The bytes of our stream that the peer has acknowledged, in order.
    [[nodiscard]] std::uint64_t acknowledged() const noexcept;
    // The bytes of the peer's stream that have arrived in order.
    [[nodiscard]] std::uint64_t received() const noexcept;
    // What has arrived in order may be taken out of the store, if there is one.
    void publish() noexcept;
    // The peer has sent its FIN, and all before it has arrived.
    [[nodiscard]] bool peer_has_closed() const noexcept;
    // The kept prefix of the peer's stream, as far as it has arrived in order.
    [[nodiscard]] std::span<const std::byte> prefix() const noexcept;
    // With time-dependent figures as of `now`.
    [[nodiscard]] Info info(Moment now) const noexcept;

    // Which invariant does not hold, or null. Not for the hot path: O(Limits::segments_in_flight).
    [[nodiscard]] const char* broken_invariant() const noexcept;

    struct Impl;

private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace dpdkperf::tcp
