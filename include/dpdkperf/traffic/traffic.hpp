#pragma once

// THE CONTRACT between the control plane and the data plane. Control fills in values, the
// engine carries them out; neither includes the other.

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/ip_protocol.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/base/stream_store.hpp"
#include "dpdkperf/base/time.hpp"
#include "dpdkperf/base/units.hpp"
#include "dpdkperf/stats/edges.hpp"
#include "dpdkperf/stats/impaired.hpp"
#include "dpdkperf/stats/snapshot.hpp"
#include "dpdkperf/stats/turn_meter.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dpdkperf::traffic {

// iperf3's limit of streams per direction (iperf 3.12, src/iperf.h, MAX_STREAMS).
inline constexpr std::uint32_t kMaxStreamsPerDirection = 128;
inline constexpr std::uint32_t kMaxStreams = 2 * kMaxStreamsPerDirection;

// Sessions that may be open at the same time, and the streams of all of them.
inline constexpr std::size_t kMaxSessions = 16;
inline constexpr std::size_t kMaxStreamsAtOnce = 1024;

using SessionId = std::uint32_t;

enum class Direction : std::uint8_t { kSend, kReceive };

enum class Filler : std::uint8_t {
    kRandom,  // random bytes, made once and repeated in every datagram
    kDigits,  // byte i of the payload is '0' + i % 10 (--repeating-payload)
};

// One stream. The order of the streams of a session is iperf3's order of creation.
struct StreamSpec {
    Direction direction = Direction::kSend;
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0;  // 0 at a server: told by the hello or the SYN
    // UDP: payload of every datagram sent, 16 to what the MTU holds. TCP: bytes of a write.
    PayloadBytes datagram;
    bool counters_64bit = false;  // --udp-counters-64bit
    Filler filler = Filler::kRandom;
    std::uint8_t tos = 0;             // IPv4 TOS or IPv6 traffic class
    std::uint32_t flow_label = 0;     // IPv6, 20 bits; 0: none
    BitRate rate;                     // of payload; 0: unlimited
    std::uint32_t burst = 0;          // datagrams per burst (-b rate/N); 0: paced one by one
    std::uint64_t max_datagrams = 0;  // the sender stops after as many (TCP: writes); 0: no limit
    // TCP receiver: where the payload goes once the stream is open, the cookie not; it begins
    // behind that, and stays until close(). Null: nowhere.
    StreamStore* store = nullptr;
};

enum class Congestion : std::uint8_t { kCubic, kReno };

// What the streams of a TCP session have in common.
struct TcpSpec {
    // The first bytes that a client sends on each stream; a server takes none that begins
    // otherwise.
    static constexpr std::size_t kCookieBytes = 37;
    std::array<std::byte, kCookieBytes> cookie{};
    std::uint32_t mss_bytes = 0;     // -M; 0: what the MTU holds
    std::uint64_t window_bytes = 0;  // -w: what we offer as a receiver; 0: as the engine likes it
    bool no_delay = false;           // -N
    Congestion congestion = Congestion::kCubic;
    BitRate max_pacing_rate;                    // --fq-rate, of each stream; 0: unlimited
    std::chrono::milliseconds user_timeout{0};  // --snd-timeout; 0: as patient as TCP is
    // What each sender sends instead of its filler, from the beginning to the end, where it stops.
    // Stays until close(). Empty: none.
    std::span<const std::byte> file{};
};

// A session: one iperf3 test between two addresses.
struct SessionSpec {
    SessionId id = 0;
    IpAddress local, remote;  // of one family
    Mac next_hop;             // destination of what we send
    // Client: we say hello (TCP: connect), stream by stream. Server: the peer does.
    bool server = false;
    std::optional<TcpSpec> tcp = std::nullopt;  // none: UDP
    std::vector<StreamSpec> streams;            // at most kMaxStreams
};

// When what happens, known to all pollers before the first packet.
struct Timetable {
    Moment start;  // of the test clock; edges count from here
    stats::EdgeSchedule edges;
    // After this time, omit included, senders stop and receivers stop counting by themselves, and
    // publish kFinalEdge. None: senders at stop(), receivers at finish().
    std::optional<std::chrono::nanoseconds> end;
};

struct StreamStatus {
    // UDP: hello and reply were exchanged. TCP: the cookie has been acknowledged, or has come.
    bool open = false;
    std::uint16_t remote_port = 0;  // known once open
    bool refused = false;  // what came instead of a reply is none; TCP: the peer has reset us
    bool ended = false;    // TCP: closed or reset by the peer after it was open
    // The errno that a socket would tell of it, once it was refused, has ended, or nobody takes its
    // datagrams (an ICMP error). 0: none.
    int error = 0;
    // UDP: the largest that the path takes, if ours are larger; 0: not known.
    PayloadBytes max_datagram{};
    std::uint64_t late = 0;  // receiver: datagrams after it had stopped counting
};

struct SessionStatus {
    std::vector<StreamStatus> streams;  // in the order of the specs
    std::uint32_t open_streams = 0;
    PayloadBytes sent, received;  // over all streams, so far, the omitted part included
    std::uint64_t datagrams_sent = 0, datagrams_received = 0;
    bool sending = false;   // started, and at least one sender has not ended
    bool finished = false;  // finish() has been carried out: all counters are final
    // TCP: a connection was open and is not yet closed by both sides. close() would reset it.
    bool parting = false;
};

// What went wrong below the streams since open(); each but handed_over is 0 in a healthy test.
struct SessionTrouble {
    std::uint64_t bad_checksum = 0;  // received, dropped
    std::uint64_t bad_length = 0;    // received, shorter than headers or counters say, dropped
    std::uint64_t unexpected = 0;    // received for us, but of no stream; dropped
    std::uint64_t pool_empty = 0;    // turns without an mbuf to fill
    // Received by a poller whose stream they are not and given to its owner: correct, but dear.
    std::uint64_t handed_over = 0;
    // The same, dropped because the owner was behind.
    std::uint64_t not_handed_over = 0;
    stats::Impaired impaired;  // on purpose
};

// The data plane as control sees it. All calls from one thread (main); none blocks for longer
// than a poller's turn. Calls name a session that open() returned success for.
class Traffic {
public:
    Traffic() = default;
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;
    virtual ~Traffic() = default;

    // The largest payload that fits into one frame to this kind of address.
    [[nodiscard]] virtual PayloadBytes max_datagram(bool ipv4) const = 0;

    // Whether packets from `remote` to `local` come by themselves to the poller that stream `index`
    // of a client will belong to: control looks for a local port where they do. True where that
    // can't be told; packets that come to another poller are handed over.
    [[nodiscard]] virtual bool suits(IpProtocol protocol, const Endpoint& local,
        const Endpoint& remote, std::uint32_t index) const = 0;

    // Takes a session on. Nothing is sent. A server's session answers hellos from now on:
    // each first datagram from `remote` to the streams' local port opens the next stream, in order.
    // Errors: datagrams too large for the port, too many streams or sessions.
    virtual Status open(const SessionSpec& spec) = 0;

    // Client: says hello once for stream `index`. status().streams[index].open tells when the
    // reply has come; the caller keeps the deadline. A hello is never sent twice.
    // TCP: connects and sends the cookie, again and again until the peer answers; after a refusal
    // the caller may ask anew.
    virtual void say_hello(SessionId id, std::uint32_t index) = 0;

    // The test clock runs, senders send. Received datagrams count from open(), because none can
    // come before the peer has seen TEST_RUNNING.
    virtual void start(SessionId id, const Timetable& timetable) = 0;

    // Senders stop now; what they have handed to the port is transmitted. status().sending becomes
    // false when the port has taken everything.
    virtual void stop(SessionId id) = 0;

    // Receivers stop counting, all streams publish kFinalEdge; implies stop().
    virtual void finish(SessionId id) = 0;

    // The next hop has a new address; every packet filled from now on carries it.
    virtual void set_next_hop(SessionId id, const Mac& next_hop) = 0;

    // The kernel has received this ICMP (else ICMPv6) message, given without its IP header. What it
    // says of a stream of the session is believed if it quotes what is in flight.
    virtual void take_icmp(SessionId id, std::span<const std::byte> message, bool ipv4) = 0;

    [[nodiscard]] virtual SessionStatus status(SessionId id) const = 0;
    [[nodiscard]] virtual SessionTrouble trouble(SessionId id) const = 0;

    // What each poller has done from start() on, the omitted part included, until it stopped
    // counting. Once status().finished.
    [[nodiscard]] virtual std::vector<stats::PollerLoad> loads(SessionId id) const = 0;

    // The counters of stream `index` at an edge (or kFinalEdge), once its poller has passed it.
    [[nodiscard]] virtual std::optional<stats::Snapshot> snapshot(
        SessionId id, std::uint32_t index, std::uint64_t edge) const = 0;

    // Forgets the session: its packets are strangers' from now on.
    virtual void close(SessionId id) = 0;
};

}  // namespace dpdkperf::traffic
