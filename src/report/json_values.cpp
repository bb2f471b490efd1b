#include "json_values.hpp"

#include "numbers.hpp"
#include "sums.hpp"
#include "wall_clock.hpp"

#include <cmath>

namespace dpdkperf::report {

namespace {

void add_datagrams(Json& json, const stats::Transfer& t)
{
    if (!t.sender) {
        json["jitter_ms"] = t.jitter_s * 1000.0;
        json["lost_packets"] = t.lost;
    }
    json["packets"] = t.packets;
    if (!t.sender) {
        json["lost_percent"] = percent(t.lost, t.packets);
    }
}

// Of a sum only what can be added up.
void add_tcp(Json& json, const stats::TcpState& tcp, bool stream)
{
    json["retransmits"] = tcp.retransmits;
    if (stream) {
        json["snd_cwnd"] = tcp.cwnd_bytes;
        json["snd_wnd"] = tcp.peer_window_bytes;
        json["rtt"] = tcp.rtt_us;
        json["rttvar"] = tcp.rttvar_us;
        json["pmtu"] = tcp.path_mtu_bytes;
        json["reorder"] = tcp.reordering;
    }
}

// A stream or a sum in one interval.
Json transfer_json(const stats::Transfer& t, bool stream, bool udp, bool omitted)
{
    // iperf3 keeps the length of an interval in a float.
    const double length = static_cast<double>(static_cast<float>(to_seconds(t.end - t.start)));
    Json json = Json::object();
    if (stream) {
        json["socket"] = t.socket;
    }
    json["start"] = std::abs(to_seconds(t.start));
    json["end"] = to_seconds(t.end);
    json["seconds"] = length;
    json["bytes"] = t.bytes.value;
    json["bits_per_second"] = rate_over(t.bytes, length);
    if (udp) {
        add_datagrams(json, t);
    } else if (t.tcp) {
        add_tcp(json, *t.tcp, stream);
    }
    json["omitted"] = omitted;
    json["sender"] = t.sender;
    return json;
}

// What a stream and all sums at the end begin with.
Json span_json(std::chrono::nanoseconds time, PayloadBytes bytes, double bits_per_second)
{
    return {{"start", 0}, {"end", to_seconds(time)}, {"seconds", to_seconds(time)},
        {"bytes", bytes.value}, {"bits_per_second", bits_per_second}};
}

void add_loss(
    Json& json, double jitter_s, std::int64_t lost, std::int64_t packets, double lost_percent)
{
    json["jitter_ms"] = jitter_s * 1000.0;
    json["lost_packets"] = lost;
    json["packets"] = packets;
    json["lost_percent"] = lost_percent;
}

// A side that has not been told of counts as nothing, as in iperf3.
Json file_json(const Total& t)
{
    const std::uint64_t bytes = t.file->bytes;
    return {{"sent", t.sent.value}, {"received", t.received.value}, {"size", bytes},
        {"percent_sent", whole_percent(t.sent.value, bytes)},
        {"percent_received", whole_percent(t.received.value, bytes)}, {"filename", t.file->name}};
}

// One object for both halves, of which it takes the sender's where there is a choice.
Json stream_json(const Total& t)
{
    Json json = {{"socket", t.socket}};
    json.update(span_json(t.sent_time, t.sent, rate_over(t.sent, to_seconds(t.sent_time))));
    add_loss(json, t.jitter_s, t.lost, t.packets, percent(t.lost, t.sent_packets));
    json["out_of_order"] = t.out_of_order;
    json["sender"] = t.sender;
    return {{"udp", std::move(json)}};
}

// Both halves of a stream over TCP. The receiver's seconds are ours, whoever receives, as in
// iperf3.
Json tcp_stream_json(const Total& t)
{
    Json sender = {{"socket", t.socket}};
    sender.update(span_json(t.sent_time, t.sent, rate_over(t.sent, to_seconds(t.sent_time))));
    if (t.tcp) {
        sender["retransmits"] = t.tcp->retransmits;
        sender["reorder"] = t.tcp->reordering;
        sender["max_snd_cwnd"] = t.tcp->max_cwnd_bytes;
        sender["max_snd_wnd"] = t.tcp->max_peer_window_bytes;
        sender["max_rtt"] = t.tcp->max_rtt_us;
        sender["min_rtt"] = t.tcp->min_rtt_us;
        sender["mean_rtt"] = t.tcp->mean_rtt_us;
    }
    sender["sender"] = t.sender;
    Json receiver = {{"socket", t.socket}};
    receiver.update(
        span_json(t.received_time, t.received, rate_over(t.received, to_seconds(t.received_time))));
    receiver["seconds"] = to_seconds(t.own_time);
    receiver["sender"] = t.sender;
    Json stream = {{"sender", std::move(sender)}};
    if (t.file) {
        stream["diskfile"] = file_json(t);
    }
    stream["receiver"] = std::move(receiver);
    return stream;
}

void add_tcp_sums(Json& end, const Total& sum, const Direction& direction)
{
    const std::string suffix = direction.reverse ? "_bidir_reverse" : "";
    Json& sent = end["sum_sent" + suffix] =
        span_json(sum.sent_time, sum.sent, rate_over(sum.sent, to_seconds(sum.sent_time)));
    if (sum.tcp) {
        sent["retransmits"] = sum.tcp->retransmits;
    }
    sent["sender"] = direction.sender;
    Json& received = end["sum_received" + suffix] = span_json(
        sum.received_time, sum.received, rate_over(sum.received, to_seconds(sum.received_time)));
    received["sender"] = direction.sender;
}

// Of the sides that are known, as seen from the direction that is printed last.
void add_congestion(Json& end, const stats::TestSettings& settings, const stats::Summary& summary)
{
    const bool sends = directions(settings).back().sender;
    const std::string& sender = sends ? summary.congestion : summary.peer_congestion;
    const std::string& receiver = sends ? summary.peer_congestion : summary.congestion;
    if (!sender.empty()) {
        end["sender_tcp_congestion"] = sender;
    }
    if (!receiver.empty()) {
        end["receiver_tcp_congestion"] = receiver;
    }
}

void add_sums(Json& end, const Total& sum, const Direction& direction)
{
    const std::string suffix = direction.reverse ? "_bidir_reverse" : "";
    const double sent_rate = rate_over(sum.sent, to_seconds(sum.sent_time));
    const double lost_percent = percent(sum.lost, sum.packets);

    // The sender's bytes and rate over the receiver's time.
    Json& mixed = end["sum" + suffix] = span_json(sum.received_time, sum.sent, sent_rate);
    add_loss(mixed, sum.jitter_s, sum.lost, sum.packets, lost_percent);
    mixed["sender"] = direction.sender;

    Json& sent = end["sum_sent" + suffix] = span_json(sum.sent_time, sum.sent, sent_rate);
    add_loss(sent, 0, 0, sum.sent_packets, 0);
    sent["sender"] = true;

    Json& received = end["sum_received" + suffix] = span_json(
        sum.received_time, sum.received, rate_over(sum.received, to_seconds(sum.received_time)));
    add_loss(received, sum.jitter_s, sum.lost, sum.received_packets, lost_percent);
    received["sender"] = false;
}

Json cpu_json(const stats::Summary& summary)
{
    const stats::CpuUse local = summary.local;
    const stats::CpuUse remote = summary.remote.value_or(stats::CpuUse{});
    return {{"host_total", local.total}, {"host_user", local.user}, {"host_system", local.system},
        {"remote_total", remote.total}, {"remote_user", remote.user},
        {"remote_system", remote.system}};
}

}  // namespace

Json connection_json(const stats::Connection& c)
{
    return {{"socket", c.socket}, {"local_host", to_string(c.local.address)},
        {"local_port", c.local.port}, {"remote_host", to_string(c.remote.address)},
        {"remote_port", c.remote.port}};
}

Json endpoint_json(const std::string& host, std::uint16_t port)
{
    return {{"host", host}, {"port", port}};
}

Json timestamp_json(std::chrono::system_clock::time_point at)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch());
    return {{"time", rfc1123(at)}, {"timesecs", seconds.count()},
        {"timemillisecs", milliseconds.count()}};
}

Json test_start_json(const stats::TestSettings& s)
{
    return {{"protocol", s.udp ? "UDP" : "TCP"}, {"num_streams", s.streams},
        {"blksize", s.block_bytes}, {"omit", s.omit.count()}, {"duration", s.duration.count()},
        {"bytes", s.bytes}, {"blocks", s.blocks}, {"reverse", s.reverse ? 1 : 0}, {"tos", s.tos},
        {"target_bitrate", s.rate.bps()}, {"bidir", s.bidirectional ? 1 : 0},
        {"fqrate", s.fq_rate.bps()}, {"interval", to_seconds(s.interval)}, {"gso", 0}, {"gro", 0}};
}

std::string json_error(const std::string& message, bool begun)
{
    return begun || message.starts_with("interrupt - ") ? message : "error - " + message;
}

Json interval_json(const stats::TestSettings& settings, const stats::IntervalReport& report)
{
    Json streams = Json::array();
    Json sums = Json::object();
    for (const Direction& direction : directions(settings)) {
        for (const stats::Transfer& stream : report.streams) {
            if (stream.sender == direction.sender) {
                streams.push_back(transfer_json(stream, true, settings.udp, report.omitted));
            }
        }
        const auto sum = sum_of(report, direction.sender, settings.streams);
        sums[direction.reverse ? "sum_bidir_reverse" : "sum"] =
            transfer_json(sum, false, settings.udp, report.omitted);
    }
    Json json = {{"streams", std::move(streams)}};
    json.update(sums);
    return json;
}

Json end_json(const stats::TestSettings& settings, const stats::Summary& summary)
{
    Json end = {{"streams", Json::array()}};
    for (const Direction& direction : directions(settings)) {
        const std::vector<Total> streams = totals(summary, direction.sender);
        for (const Total& stream : streams) {
            end["streams"].push_back(direction.udp ? stream_json(stream) : tcp_stream_json(stream));
        }
        const Total sum = sum_of(streams, settings.streams);
        direction.udp ? add_sums(end, sum, direction) : add_tcp_sums(end, sum, direction);
    }
    end["cpu_utilization_percent"] = cpu_json(summary);
    add_congestion(end, settings, summary);
    return end;
}

}  // namespace dpdkperf::report
