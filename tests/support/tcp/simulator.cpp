#include "simulator.hpp"

#include "offset.hpp"
#include "stream_byte.hpp"

#include <algorithm>
#include <cstdio>

namespace dpdkperf::tcp::sim {

namespace {

using wire::kTcpAck;
using wire::kTcpFin;
using wire::kTcpRst;
using wire::kTcpSyn;

constexpr std::uint64_t kPaintedWindowCheck = 64;  // events between two looks at a large window
constexpr int kMaxSegmentsPerPump = 100'000;

Packet encode(const Segment& segment)
{
    Packet packet;
    packet.header_bytes = wire::write_tcp_header(packet.header, 1, 2, segment.header);
    packet.ecn = segment.ecn;
    packet.retransmission = segment.retransmission;
    return packet;
}

Settings seeded(Settings settings, Random& random)
{
    settings.initial_sequence = static_cast<std::uint32_t>(random.next());
    if (random.chance(0.5)) {  // the wrap is where faults hide
        settings.initial_sequence = 0xffff'ffff - static_cast<std::uint32_t>(random.below(200'000));
    }
    settings.timestamp_offset = static_cast<std::uint32_t>(random.next());
    return settings;
}

}  // namespace

Simulator::Simulator(const Scenario& scenario)
    : scenario_{scenario},
      ends_{End{Connection{scenario.limits[0]}, Link{scenario.links[0], scenario.seed * 4 + 1}, 0,
                {}},
          End{Connection{scenario.limits[1]}, Link{scenario.links[1], scenario.seed * 4 + 2}, 0,
              {}}},
      now_{std::chrono::hours{1}},
      start_{now_}
{
    Random random{scenario.seed * 4 + 3};
    // The 32-bit microsecond clock of the scoreboard wraps after 71.6 minutes: let some runs see
    // it.
    now_ += std::chrono::microseconds{random.below(std::uint64_t{1} << 33U)};
    start_ = now_;
    if (scenario.random_sequences) {
        for (Settings& settings : scenario_.settings) {
            settings = seeded(settings, random);
        }
    }
    for (int side : {0, 1}) {
        end(side).base = scenario_.settings[index(side)].initial_sequence + 1;
    }
}

void Simulator::fail(const std::string& what)
{
    if (outcome_.fault.empty()) {
        char at[32];
        std::snprintf(
            at, sizeof at, "%.6f s: ", std::chrono::duration<double>(now_ - start_).count());
        outcome_.fault = at + what;
    }
}

void Simulator::open()
{
    end(0).connection.connect(scenario_.settings[0], now_);
    if (scenario_.simultaneous_open) {
        end(1).connection.connect(scenario_.settings[1], now_);
    } else {
        end(1).connection.listen(scenario_.settings[1], now_);
    }
    pump(0);
    pump(1);
}

Outcome Simulator::run()
{
    open();
    while (outcome_.fault.empty() && !done() && step()) {
        if (on_event) {
            on_event(*this, now_ - start_);
        }
    }
    for (int side : {0, 1}) {
        outcome_.info[index(side)] = end(side).connection.info(now_);
    }
    outcome_.closed = Moment{now_ - start_};
    return outcome_;
}

bool Simulator::done()
{
    const auto finished = [&](int side) {
        const State s = end(side).connection.state();
        return s == State::kClosed || s == State::kTimeWait;
    };
    const auto gave_up = [&](int side) {  // the other side is never told
        return end(side).connection.info(now_).close_reason == CloseReason::kTimedOut;
    };
    return (finished(0) && finished(1)) || gave_up(0) || gave_up(1);
}

bool Simulator::step()
{
    Moment next = events_.empty() ? Moment::max() : events_.top().at;
    for (int side : {0, 1}) {
        next = std::min(next, end(side).connection.next_deadline());
    }
    if (next == Moment::max() || next - start_ > scenario_.time_limit) {
        fail("nothing happens any more");
        return false;
    }
    now_ = std::max(now_, next);
    ++outcome_.events;
    if (!events_.empty() && events_.top().at <= now_) {
        const Event event = events_.top();
        events_.pop();
        deliver(event);
        pump(event.side);
    } else {
        pump(0);
        pump(1);
    }
    check_ends();
    return true;
}

void Simulator::deliver(const Event& event)
{
    const int side = event.side;
    const Packet& packet = event.packet;
    if (packet.corrupt) {
        return;  // a single flipped bit never passes the checksum (tests/unit/wire)
    }
    const auto parsed = wire::parse_tcp_header({packet.header.data(), packet.header_bytes});
    if (!parsed) {
        fail("a header we wrote can't be read");
        return;
    }
    End& to = end(side);
    const wire::TcpHeader& header = parsed->header;
    const std::int64_t left = offset_of(header.sequence, end(1 - side).base, to.arrived.in_order());
    if (packet.payload_bytes > 0) {
        if (static_cast<std::uint64_t>(left) != packet.claimed_offset) {
            fail("a payload is not that of its sequence number");
        }
        if (packet.retransmission && to.arrived.contains(left, left + packet.payload_bytes)) {
            ++outcome_.spurious[index(1 - side)];
        }
    }
    if (to.connection.state() != State::kListen) {
        const bool fin = (header.flags & kTcpFin) != 0;
        to.arrived.add(left, left + packet.payload_bytes + (fin ? 1 : 0));
    }
    note_window(side, header);
    const bool kept = scenario_.settings[index(side)].store != nullptr;
    const auto payload = stream_bytes(packet.claimed_offset, kept ? packet.payload_bytes : 0);
    to.connection.on_segment({.header = header,
                                 .payload_bytes = packet.payload_bytes,
                                 .head = payload,
                                 .ecn = packet.ecn,
                                 .packets = 1},
        now_);
    to.connection.publish();
}

// What the side that receives `header` may send up to; and what the oracle hears.
void Simulator::note_window(int side, const wire::TcpHeader& header)
{
    End& to = end(side);
    End& from = end(1 - side);
    if ((header.flags & kTcpSyn) != 0) {
        from.scaling = header.options.window_scale.has_value();
        from.shift = header.options.window_scale.value_or(0);
    }
    if ((header.flags & kTcpAck) == 0) {
        return;
    }
    const std::int64_t ack = offset_of(header.acknowledgment, to.base, to.sent_end);
    const bool scaled = (header.flags & kTcpSyn) == 0 && from.scaling && to.scaling;
    to.window_edge =
        std::max(to.window_edge, ack + (std::int64_t{header.window} << (scaled ? from.shift : 0)));
    if (side == 0) {
        for (const wire::SackBlock& block : header.options.sack_blocks()) {
            oracle_.on_sack(offset_of(block.left, to.base, to.sent_end),
                offset_of(block.right, to.base, to.sent_end));
        }
        oracle_.on_ack(ack, now_);
    }
}

void Simulator::pump(int side)
{
    drive(side);
    Segment segment;
    for (int n = 0; end(side).connection.next_segment(now_, segment); ++n) {
        transmit(side, segment);
        drive(side);
        if (n > kMaxSegmentsPerPump) {
            fail("segments without end");
            return;
        }
    }
    if (end(side).connection.next_deadline() <= now_) {
        fail("a deadline has passed, and nothing was done about it");
    }
}

// The applications: offer everything at once, close when it is sent, close when the peer does.
void Simulator::drive(int side)
{
    End& e = end(side);
    const State state = e.connection.state();
    if (state != State::kEstablished && state != State::kCloseWait) {
        return;
    }
    if (!e.offered) {
        e.offered = true;
        e.connection.offer(scenario_.bytes[index(side)]);
    }
    const bool sends = scenario_.bytes[index(side)] > 0;
    if (!e.closed &&
        (sends || e.connection.peer_has_closed() || scenario_.bytes[index(1 - side)] == 0)) {
        e.closed = true;
        e.connection.close(now_);
    }
}

void Simulator::transmit(int side, const Segment& segment)
{
    End& from = end(side);
    check_transmission(side, segment);
    check_acknowledgment(side, segment);
    if ((segment.header.flags & kTcpSyn) != 0) {
        from.shift = segment.header.options.window_scale.value_or(0);
        from.scaling = segment.header.options.window_scale.has_value();
    }
    std::uint32_t done = 0;
    do {  // as a NIC or our own splitter would
        const std::uint32_t packet_bytes =
            segment.payload_bytes == 0
                ? 0
                : std::min(segment.packet_payload_bytes, segment.payload_bytes - done);
        Segment piece = segment;
        piece.header.sequence += done;
        if (done + packet_bytes < segment.payload_bytes) {
            piece.header.flags &= static_cast<std::uint8_t>(~(kTcpFin | wire::kTcpPsh));
        }
        Packet packet = encode(piece);
        packet.payload_bytes = packet_bytes;
        packet.claimed_offset = segment.stream_offset + done;
        for (const Link::Copy& copy : from.link.carry(packet, now_)) {
            events_.push({copy.at, number_++, 1 - side, copy.packet});
        }
        done += packet_bytes;
    } while (done < segment.payload_bytes);
}

void Simulator::check_transmission(int side, const Segment& segment)
{
    End& from = end(side);
    const wire::TcpHeader& header = segment.header;
    if ((header.flags & (kTcpSyn | kTcpRst)) != 0) {
        return;
    }
    const std::int64_t left = offset_of(header.sequence, from.base, from.sent_end);
    const std::int64_t right =
        left + segment.payload_bytes + ((header.flags & kTcpFin) != 0 ? 1 : 0);
    if (right == left) {
        return;
    }
    note_silence(side);
    if (right > from.sent_end) {
        const Info info = from.connection.info(now_);
        const bool asks = info.zero_window_probes > 0 && right - left == 1;
        if (right > from.window_edge && !asks) {
            fail("data beyond the peer's window");
        }
        const bool probe = info.loss_probes > from.loss_probes || info.zero_window_probes > 0;
        from.loss_probes = info.loss_probes;
        if (info.segments_in_flight > info.cwnd_segments && !probe) {
            fail("more in flight than cwnd allows");
        }
        if (side == 0) {
            oracle_.on_sent(from.sent_end, right);
        }
        from.sent_end = right;
    } else if (side == 0 && segment.retransmission) {
        if (const auto lost = oracle_.lost_at(left)) {
            outcome_.latest_after_oracle =
                std::max<nanoseconds>(outcome_.latest_after_oracle, now_ - *lost);
        }
    }
}

void Simulator::note_silence(int side)
{
    End& from = end(side);
    const nanoseconds rto = from.connection.info(now_).rto;
    if (side == 0 && from.last_sent != Moment{}) {
        const nanoseconds silence = now_ - from.last_sent;
        outcome_.longest_silence = std::max(outcome_.longest_silence, silence);
        outcome_.longest_silence_in_rto = std::max(outcome_.longest_silence_in_rto,
            static_cast<double>(silence.count()) / static_cast<double>(from.rto.count()));
    }
    from.last_sent = now_;
    from.rto = rto;
}

void Simulator::check_acknowledgment(int side, const Segment& segment)
{
    End& from = end(side);
    const wire::TcpHeader& header = segment.header;
    if ((header.flags & (kTcpSyn | kTcpRst)) != 0) {
        return;
    }
    const std::uint32_t base = end(1 - side).base;
    const std::int64_t ack = offset_of(header.acknowledgment, base, from.highest_ack);
    if (ack < from.highest_ack) {
        fail("an acknowledgment goes back");
    }
    from.highest_ack = ack;
    if (ack > from.arrived.in_order()) {
        fail("an acknowledgment of what has not arrived");
    }
    for (const wire::SackBlock& block : header.options.sack_blocks()) {
        const std::int64_t left = offset_of(block.left, base, ack);
        const std::int64_t right = offset_of(block.right, base, ack);
        if (left >= right || !from.arrived.contains(left, right)) {
            fail("a SACK of what has not arrived");
        }
    }
}

void Simulator::check_ends()
{
    for (int side : {0, 1}) {
        End& e = end(side);
        const bool large = scenario_.limits[index(side)].segments_in_flight > 256;
        if (large && outcome_.events % kPaintedWindowCheck != 0) {
            continue;
        }
        if (const char* broken = e.connection.broken_invariant(); broken != nullptr) {
            fail(std::string{"invariant: "} + broken);
        }
    }
    if (outcome_.finished == Moment{} && end(0).connection.acknowledged() == scenario_.bytes[0] &&
        end(1).connection.acknowledged() == scenario_.bytes[1]) {
        outcome_.finished = Moment{now_ - start_};
    }
}

void Simulator::inject(int side, const wire::TcpHeader& header, std::uint32_t payload_bytes)
{
    end(side).connection.on_segment(
        {.header = header, .payload_bytes = payload_bytes, .head = {}}, now_);
}

std::string describe(const Scenario& s)
{
    char text[256];
    const LinkSettings& l = s.links[0];
    std::snprintf(text, sizeof text,
        "seed=%llu bytes=%llu/%llu loss=%g/%g burst=%g reorder=%g dup=%g corrupt=%g delay=%gms "
        "rate=%gM "
        "queue=%llu sack=%d ts=%d ws=%d",
        static_cast<unsigned long long>(s.seed), static_cast<unsigned long long>(s.bytes[0]),
        static_cast<unsigned long long>(s.bytes[1]), l.loss, s.links[1].loss, l.burst_enter,
        l.reorder, l.duplicate, l.corrupt, static_cast<double>(l.delay.count()) / 1e6,
        l.bits_per_second / 1e6, static_cast<unsigned long long>(l.queue_bytes), s.settings[0].sack,
        s.settings[0].timestamps, s.settings[0].window_scaling);
    return text;
}

}  // namespace dpdkperf::tcp::sim
