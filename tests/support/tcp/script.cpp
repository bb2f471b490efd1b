#include "script.hpp"

#include "stream_byte.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {

Script::Script(Settings settings, Limits limits) : settings_{settings}, connection_{limits}
{
    settings_.initial_sequence = kOurIsn;
    settings_.timestamp_offset = 0xffff'0000;
}

void Script::start_connect()
{
    connection_.connect(settings_, moment());
    pump();
}

void Script::start_listen()
{
    connection_.listen(settings_, moment());
    pump();
}

void Script::connect(In syn, microseconds rtt)
{
    start_connect();
    after(rtt);
    syn.seq = -1;
    syn.flags |= wire::kTcpSyn | wire::kTcpAck;
    peer_timestamps_ = syn.timestamps;
    in(syn);
    take();
}

void Script::accept(In syn, microseconds rtt)
{
    start_listen();
    syn.seq = -1;
    syn.flags = wire::kTcpSyn;
    peer_timestamps_ = syn.timestamps;
    in(syn);
    after(rtt);
    in({});
    take();
}

std::uint32_t Script::our_timestamp() const
{
    const auto ms = std::chrono::duration_cast<milliseconds>(moment().time_since_epoch()).count();
    return settings_.timestamp_offset + static_cast<std::uint32_t>(ms);
}

void Script::in(const In& in)
{
    Arrival arrival;
    wire::TcpHeader& header = arrival.header;
    header.sequence = sequence_of(in.seq, kPeerIsn + 1);
    header.acknowledgment = sequence_of(in.ack, kOurIsn + 1);
    header.window = in.window;
    header.flags = in.flags;
    if ((in.flags & wire::kTcpSyn) != 0) {
        header.options.mss = in.mss;
        header.options.window_scale = in.scale;
        header.options.sack_permitted = in.sack_permitted;
    }
    if (in.timestamps && peer_timestamps_) {
        const auto clock = static_cast<std::uint32_t>(now_.count() / 1000);
        header.options.timestamps = {
            in.value.value_or(0xffff'ff00U + clock), in.echo.value_or(last_timestamp_)};
    }
    for (const Range& block : in.sack) {
        header.options.sack[header.options.sack_count++] = {
            sequence_of(block.left, kOurIsn + 1), sequence_of(block.right, kOurIsn + 1)};
    }
    const bool kept = settings_.store != nullptr;
    const auto payload =
        stream_bytes(static_cast<std::uint64_t>(in.seq), kept ? in.at_hand.value_or(in.length) : 0);
    arrival.payload_bytes = in.length;
    arrival.head = payload;
    arrival.ecn = in.ecn;
    connection_.on_segment(arrival, moment());
    connection_.publish();
    pump();
}

void Script::at(microseconds time)
{
    while (connection_.next_deadline() <= kStart + time) {
        const auto due = std::chrono::duration_cast<microseconds>(
            connection_.next_deadline() - kStart + nanoseconds{999});
        now_ = std::max(now_, due);
        pump();
        if (connection_.next_deadline() <= moment()) {
            ADD_FAILURE() << "a deadline has passed, and nothing was done about it";
            break;
        }
    }
    now_ = std::max(now_, time);
    pump();
}

void Script::pump()
{
    Segment segment;
    for (int n = 0; n < 100'000 && connection_.next_segment(moment(), segment); ++n) {
        Out out;
        const wire::TcpHeader& header = segment.header;
        out.at = now_;
        out.seq = offset_of(header.sequence, kOurIsn + 1, 0);
        out.end = out.seq + segment.payload_bytes + ((header.flags & wire::kTcpFin) != 0 ? 1 : 0);
        out.ack = offset_of(header.acknowledgment, kPeerIsn + 1, 0);
        for (const wire::SackBlock& block : header.options.sack_blocks()) {
            out.sack.push_back(
                {offset_of(block.left, kPeerIsn + 1, 0), offset_of(block.right, kPeerIsn + 1, 0)});
        }
        if (header.options.timestamps) {
            last_timestamp_ = header.options.timestamps->value;
        }
        out.segment = segment;
        sent_.push_back(out);
    }
    EXPECT_STREQ(connection_.broken_invariant(), nullptr);
}

std::vector<Out> Script::take()
{
    std::vector<Out> all{sent_.begin(), sent_.end()};
    sent_.clear();
    return all;
}

Out Script::next()
{
    if (sent_.empty()) {
        Out none;
        none.seq = none.end = none.ack = -99;
        return none;
    }
    const Out out = sent_.front();
    sent_.pop_front();
    return out;
}

void Script::offer(std::uint64_t end)
{
    connection_.offer(end);
    pump();
}

void Script::close()
{
    connection_.close(moment());
    pump();
}

}  // namespace dpdkperf::tcp::sim
