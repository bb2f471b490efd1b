#pragma once

#include "dpdkperf/tcp/connection.hpp"
#include "offset.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <vector>

namespace dpdkperf::tcp::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A segment from the scripted peer. Positions are in the streams: the peer's SYN is at -1, and
// `ack` counts our bytes. Defaults: a plain acknowledgment.
struct In {
    Offset seq = 0;
    Offset ack = 0;
    std::uint32_t length = 0;
    std::optional<std::uint32_t> at_hand = std::nullopt;  // of the payload; all of it
    std::uint8_t flags = wire::kTcpAck;
    std::uint16_t window = 65'535;  // as on the wire
    std::vector<Range> sack = {};
    // Timestamps; by default the peer's clock and what it last saw of ours.
    bool timestamps = true;
    std::optional<std::uint32_t> value = std::nullopt, echo = std::nullopt;
    // SYN only.
    std::optional<std::uint16_t> mss = 1460;
    std::optional<std::uint8_t> scale = 7;
    bool sack_permitted = true;
    wire::Ecn ecn = wire::Ecn::kNotCapable;
};

// A segment of ours, with when it left and where it lies in the streams.
struct Out {
    microseconds at{0};
    Offset seq = 0;
    Offset end = 0;  // behind the payload, and behind the FIN
    Offset ack = 0;
    std::vector<Range> sack;
    Segment segment;

    [[nodiscard]] bool has(std::uint8_t flags) const
    {
        return (segment.header.flags & flags) == flags;
    }
    [[nodiscard]] bool is_ack() const
    {
        return segment.payload_bytes == 0 && !has(wire::kTcpFin) && !has(wire::kTcpSyn) &&
               !has(wire::kTcpRst);
    }
};

// One connection against a peer that does what the test says, in virtual time from 0. in() hands a
// segment over now; at() lets time pass, with all that the connection does meanwhile. What it has
// sent is collected until taken.
class Script {
public:
    explicit Script(Settings settings = {}, Limits limits = {.segments_in_flight = 1024});

    // The connection opens, as a client or as a server, by a handshake that takes `rtt`; the peer's
    // SYN is `syn`. Nothing it sent remains to be taken.
    void connect(In syn = {}, microseconds rtt = milliseconds{50});
    void accept(In syn = {}, microseconds rtt = milliseconds{50});
    // Only the first step: connect() or listen() on the connection.
    void start_connect();
    void start_listen();

    void in(const In& segment);
    void at(microseconds time);
    void after(microseconds time) { at(now() + time); }

    // All segments since the last take.
    std::vector<Out> take();
    // The next one; a default one with seq -99 if there is none.
    Out next();
    [[nodiscard]] bool quiet() const { return sent_.empty(); }

    void offer(std::uint64_t end);
    void close();
    [[nodiscard]] Connection& connection() { return connection_; }
    [[nodiscard]] Info info() { return connection_.info(moment()); }
    [[nodiscard]] State state() const { return connection_.state(); }
    [[nodiscard]] microseconds now() const { return now_; }
    [[nodiscard]] Moment moment() const { return kStart + now_; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    // Our timestamp as of now.
    [[nodiscard]] std::uint32_t our_timestamp() const;

    static constexpr std::uint32_t kPeerIsn = 0xffff'f000;  // wraps soon
    static constexpr std::uint32_t kOurIsn = 0xffff'e000;

private:
    static constexpr Moment kStart{std::chrono::hours{2}};
    void pump();

    Settings settings_;
    Connection connection_;
    microseconds now_{0};
    std::deque<Out> sent_;
    std::uint32_t last_timestamp_ = 0;
    bool peer_timestamps_ = true;
};

}  // namespace dpdkperf::tcp::sim
