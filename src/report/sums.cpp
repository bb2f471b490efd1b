#include "sums.hpp"

#include <algorithm>

namespace dpdkperf::report {

namespace {

struct Times {
    std::chrono::nanoseconds sent{0}, received{0}, own{0};
};

// iperf3 measures all streams by the clock of the first one; a side that has not told its time
// gets the other's.
Times times_of(const stats::Summary& summary)
{
    if (summary.streams.empty()) {
        return {};
    }
    const stats::StreamTotal& first = summary.streams.front();
    const auto none = std::chrono::nanoseconds{0};
    Times times{
        first.sent ? first.sent->time : none, first.received ? first.received->time : none, none};
    if (times.sent == none) {
        times.sent = times.received;
    }
    if (times.received == none) {
        times.received = times.sent;
    }
    times.own = first.sender ? times.sent : times.received;
    return times;
}

}  // namespace

std::vector<Direction> directions(const stats::TestSettings& settings)
{
    const bool udp = settings.udp;
    if (!settings.bidirectional) {
        return {{settings.server == settings.reverse, "", false, udp}};
    }
    if (settings.server) {
        return {{false, "[RX-S]", false, udp}, {true, "[TX-S]", true, udp}};
    }
    return {{true, "[TX-C]", false, udp}, {false, "[RX-C]", true, udp}};
}

stats::Transfer sum_of(const stats::IntervalReport& report, bool sender, std::uint32_t streams)
{
    stats::Transfer sum;
    sum.sender = sender;
    if (report.streams.empty()) {
        return sum;
    }
    sum.start = report.streams.front().start;
    sum.end = report.streams.front().end;
    for (const stats::Transfer& stream : report.streams) {
        if (stream.sender == sender) {
            sum.bytes += stream.bytes;
            sum.packets += stream.packets;
            sum.lost += stream.lost;
            sum.jitter_s += stream.jitter_s;
            if (stream.tcp) {
                sum.tcp =
                    stats::TcpState{.retransmits = sum.tcp.value_or(stats::TcpState{}).retransmits +
                                                   stream.tcp->retransmits};
            }
        }
    }
    sum.jitter_s /= std::max(streams, 1U);
    return sum;
}

std::vector<Total> totals(const stats::Summary& summary, bool sender)
{
    const Times times = times_of(summary);
    std::vector<Total> result;
    for (const stats::StreamTotal& stream : summary.streams) {
        if (stream.sender != sender) {
            continue;
        }
        const stats::SideTotal sent = stream.sent.value_or(stats::SideTotal{});
        const stats::SideTotal received = stream.received.value_or(stats::SideTotal{});
        Total total;
        total.socket = stream.socket;
        total.sender = sender;
        total.sent_time = times.sent;
        total.received_time = times.received;
        total.own_time = times.own;
        total.sent = sent.bytes;
        total.received = received.bytes;
        total.sent_packets = sent.packets;
        total.received_packets = received.packets;
        total.packets = sent.packets != 0 ? sent.packets : received.packets;
        total.lost = stream.lost;
        total.out_of_order = stream.out_of_order;
        total.jitter_s = stream.jitter_s;
        total.tcp = stream.tcp;
        total.file = stream.file;
        result.push_back(total);
    }
    return result;
}

Total sum_of(const std::vector<Total>& totals, std::uint32_t streams)
{
    Total sum = totals.empty() ? Total{} : totals.front();
    for (std::size_t i = 1; i < totals.size(); ++i) {
        sum.sent += totals[i].sent;
        sum.received += totals[i].received;
        sum.sent_packets += totals[i].sent_packets;
        sum.received_packets += totals[i].received_packets;
        sum.packets += totals[i].packets;
        sum.lost += totals[i].lost;
        sum.jitter_s += totals[i].jitter_s;
        if (sum.tcp && totals[i].tcp) {
            sum.tcp->retransmits += totals[i].tcp->retransmits;
        }
    }
    sum.jitter_s /= std::max(streams, 1U);
    return sum;
}

std::optional<std::int64_t> arrivals(const stats::StreamTotal& stream, std::uint64_t block)
{
    if (stream.arrived) {
        return static_cast<std::int64_t>(*stream.arrived - stream.duplicates.value_or(0));
    }
    if (stream.received && block != 0) {
        return static_cast<std::int64_t>(stream.received->bytes.value / block);
    }
    return std::nullopt;
}

std::optional<std::int64_t> true_loss(const stats::StreamTotal& stream, std::uint64_t block)
{
    const auto arrived = arrivals(stream, block);
    if (!stream.sent || !arrived) {
        return std::nullopt;
    }
    return stream.sent->packets - *arrived - static_cast<std::int64_t>(stream.late);
}

}  // namespace dpdkperf::report
