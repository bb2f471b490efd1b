#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/tcp/isn.hpp"
#include "dpdkperf/wire/icmp_error.hpp"
#include "dpdkperf/wire/tcp_view.hpp"
#include "flow_table.hpp"
#include "poller_queue.hpp"
#include "segment_frames.hpp"
#include "session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dpdkperf::engine {

// What a poller does for TCP: its connections, and their segments. One thread.
class TcpWorker {
public:
    TcpWorker(const TagField& tags, const Mac& mac, std::uint32_t mtu_bytes,
        const tcp::IsnSecret& secret, const PollerQueue& queue)
        : mac_{mac}, mtu_bytes_{mtu_bytes}, secret_{secret}, queue_{queue}, frames_{tags}
    {
    }

    // Some session has connections here or may get some.
    [[nodiscard]] bool active() const noexcept { return sessions_ > 0; }

    void add(Session& session, const Poller& poller) noexcept;
    void remove(Session& session, const Poller& poller, Moment now) noexcept;
    void set_next_hop(const Session& session, const Mac& next_hop, const Poller& poller) noexcept;

    // Client: sends a SYN.
    void connect(TcpStream& stream, Moment now) noexcept;
    // Server: the connection that a SYN from `remote` opens. Null: none is expected.
    TcpStream* accept(Session& session, const Mac& next_hop, const Endpoint& local,
        const Endpoint& remote, const Poller& poller, Moment now) noexcept;

    [[nodiscard]] TcpStream* find(const Endpoint& local, const Endpoint& remote) noexcept
    {
        auto* const entry = flows_.find(local, remote);
        return entry == nullptr ? nullptr : entry->stream;
    }

    // After release() this worker does not look at a stream of its own any more. A client's changes
    // hands so while nothing but its SYN has been sent: the next owner adopts it.
    void release(TcpStream& stream) noexcept;
    void adopt(TcpStream& stream, const Mac& next_hop) noexcept { own(stream, next_hop); }
    // Not cheap: O(streams).
    [[nodiscard]] bool holds(const TcpStream& stream) const noexcept;

    // Server: now and then. Who has been turned away, and who shows no cookie, leaves its place.
    void vacate_places(Moment now) noexcept;

    // A segment for a stream of ours, of so many packets; checksum and lengths are right.
    void arrive(
        TcpStream& stream, const wire::TcpView& view, std::uint16_t packets, Moment now) noexcept;

    // What is said of a packet of a stream of ours, if it was in flight.
    void take_icmp(TcpStream& stream, const wire::IcmpError& error, Moment now) noexcept;

    // The test runs: senders may send. `now_tsc` for those with a rate.
    void start(TcpStream& stream, std::uint64_t now_tsc, std::uint64_t ticks_per_second) noexcept;
    // A server closes its connections first (iperf 3.12, src/iperf_server_api.c).
    void close(Session& session, const Poller& poller, Moment now) noexcept;

    // What is due, in turn. Returns whether the port took something.
    bool transmit(std::uint64_t now_tsc, Moment now) noexcept;

private:
    struct Entry {
        TcpStream* stream = nullptr;
    };

    [[nodiscard]] static TcpStream* take_place(Session& session, const Poller& poller) noexcept;
    [[nodiscard]] static bool has_overstayed(const TcpStream& stream, Moment now) noexcept;
    void vacate(TcpStream& stream, Moment now) noexcept;
    void own(TcpStream& stream, const Mac& next_hop) noexcept;
    void address(TcpStream& stream, const Mac& next_hop) noexcept;
    [[nodiscard]] std::uint32_t turn_bytes(const tcp::Settings& settings) const noexcept;
    [[nodiscard]] tcp::Settings settings_of(const TcpStream& stream, Moment now) const noexcept;
    void offer_paced(TcpStream& stream, std::uint64_t now_tsc) noexcept;
    void note_starved() noexcept;
    void pump(TcpStream& stream, Moment now) noexcept;
    void send_reset(TcpStream& stream, Moment now) noexcept;
    void note_state(TcpStream& stream, Moment now) noexcept;
    void note_handshake(TcpStream& stream, Moment now) noexcept;
    static void turn_away(TcpStream& stream, Moment now) noexcept;

    const Mac mac_;
    const std::uint32_t mtu_bytes_;
    const tcp::IsnSecret secret_;
    const PollerQueue queue_;
    SegmentFrames frames_;
    FlowTable<Entry> flows_;
    std::array<TcpStream*, FlowTable<Entry>::kMaxFlows> streams_{};  // those that we own
    std::size_t count_ = 0, next_ = 0;
    std::size_t sessions_ = 0;
};

}  // namespace dpdkperf::engine
