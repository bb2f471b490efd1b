#include "account.hpp"

#include <algorithm>
#include <cmath>

namespace dpdkperf::control {

using stats::Snapshot;
using std::chrono::nanoseconds;

namespace {

std::int64_t signed_of(std::uint64_t count)
{
    return static_cast<std::int64_t>(count);
}

nanoseconds from_seconds(double seconds)
{
    // A peer's number: kept within what a test can last, a day and its omitted part.
    const double sane = std::isfinite(seconds) ? std::clamp(seconds, 0.0, 1e6) : 0.0;
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(sane));
}

const proto::StreamResult* result_of(const proto::Results* results, int id)
{
    if (results == nullptr) {
        return nullptr;
    }
    const auto at = std::find_if(results->streams.begin(), results->streams.end(),
        [id](const proto::StreamResult& stream) { return stream.id == id; });
    return at == results->streams.end() ? nullptr : &*at;
}

// What the peer says of its side. Where its release does not say, our own side stands in: times
// come from 3.2 on, the part of the packets that was omitted from 3.14 on.
stats::SideTotal peer_total(
    const proto::StreamResult& result, nanoseconds own_time, std::uint64_t own_omitted_packets)
{
    stats::SideTotal total;
    total.bytes = {static_cast<std::uint64_t>(std::max<std::int64_t>(result.bytes, 0))};
    total.packets =
        result.packets - result.omitted_packets.value_or(signed_of(own_omitted_packets));
    total.time = result.end_time_s
                     ? from_seconds(*result.end_time_s - result.start_time_s.value_or(0))
                     : own_time;
    return total;
}

}  // namespace

stats::Transfer transfer_between(
    const StreamName& stream, const Snapshot& from, const Snapshot& to, nanoseconds zero)
{
    stats::Transfer transfer;
    transfer.socket = stream.socket;
    transfer.sender = stream.sender;
    transfer.start = from.at - zero;
    transfer.end = to.at - zero;
    transfer.bytes = to.bytes - from.bytes;
    transfer.packets = signed_of(to.packets) - signed_of(from.packets);
    transfer.lost = to.lost - from.lost;
    transfer.jitter_s = to.jitter_s;
    return transfer;
}

void TcpRecord::add(const Snapshot& snapshot)
{
    const std::uint64_t rtt = snapshot.rtt_us;
    ++count_;
    total_.max_cwnd_bytes = std::max(total_.max_cwnd_bytes, snapshot.cwnd_bytes);
    total_.max_peer_window_bytes =
        std::max(total_.max_peer_window_bytes, snapshot.peer_window_bytes);
    total_.max_rtt_us = std::max(total_.max_rtt_us, rtt);
    // One of 0 is none yet (iperf 3.12, src/iperf_api.c, iperf_stats_callback).
    total_.min_rtt_us = total_.min_rtt_us == 0 ? rtt : std::min(total_.min_rtt_us, rtt);
    total_.reordering = snapshot.reordering;
    sum_of_rtts_us_ += rtt;
}

stats::TcpTotal TcpRecord::total(std::int64_t retransmits) const
{
    stats::TcpTotal total = total_;
    total.retransmits = retransmits;
    total.mean_rtt_us = count_ == 0 ? 0 : sum_of_rtts_us_ / count_;
    return total;
}

Account::Account(std::span<const StreamName> streams, bool tcp)
    : tcp_{tcp},
      bidirectional_{std::ranges::any_of(streams, &StreamName::sender) &&
                     !std::ranges::all_of(streams, &StreamName::sender)}
{
    for (const StreamName& name : streams) {
        streams_.push_back({name, {}, {}, {}});
    }
}

// The interval that ends at `to`.
stats::Transfer Account::record(Stream& stream, const Snapshot& to) const
{
    auto transfer = transfer_between(stream.name, stream.last, to, stream.base.at);
    if (tcp_ && stream.name.sender) {
        transfer.tcp = {signed_of(to.retransmits) - signed_of(stream.last.retransmits),
            to.cwnd_bytes, to.peer_window_bytes, to.rtt_us, to.rttvar_us, to.path_mtu_bytes,
            to.reordering};
    }
    // iperf3 asks about its receiving sockets, too, in a bidirectional test and in no other (3.12,
    // src/iperf_api.c, iperf_stats_callback).
    if (tcp_ && (stream.name.sender || bidirectional_)) {
        stream.record.add(to);
    }
    stream.last = to;
    return transfer;
}

std::int64_t Account::retransmits(const Stream& stream) const
{
    return signed_of(stream.last.retransmits) - signed_of(stream.base.retransmits);
}

std::optional<stats::TcpTotal> Account::tcp_total(
    const Stream& stream, const proto::StreamResult* theirs) const
{
    if (!tcp_) {
        return {};
    }
    if (stream.name.sender) {
        return stream.record.total(retransmits(stream));
    }
    if (theirs == nullptr || theirs->retransmits < 0) {
        return {};
    }
    return stream.record.total(theirs->retransmits);
}

std::optional<stats::IntervalReport> Account::pass(
    const stats::Edge& edge, std::span<const Snapshot> snapshots)
{
    std::optional<stats::IntervalReport> report;
    if (edge.closes_interval) {
        report.emplace();
        report->omitted = !counting_;
    }
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        Stream& stream = streams_[i];
        if (report) {
            report->streams.push_back(record(stream, snapshots[i]));
        }
        if (edge.ends_omit) {
            stream.base = stream.last = snapshots[i];
        }
    }
    counting_ = counting_ || edge.ends_omit;
    return report;
}

std::optional<stats::IntervalReport> Account::end(
    std::span<const Snapshot> snapshots, nanoseconds end, nanoseconds interval)
{
    stats::IntervalReport report;
    report.omitted = !counting_;
    bool something = false;
    bool long_enough = false;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        Stream& stream = streams_[i];
        Snapshot last = snapshots[i];
        last.at = std::max(std::min(last.at, end), stream.last.at);
        const auto transfer = record(stream, last);
        something = something || transfer.bytes.value > 0;
        long_enough = long_enough || (transfer.end - transfer.start) * 10 >= interval;
        report.streams.push_back(transfer);
    }
    if (interval.count() == 0 || !(something || long_enough)) {
        return {};
    }
    return report;
}

PayloadBytes Account::omitted_sent() const
{
    PayloadBytes sum;
    for (const Stream& stream : streams_) {
        sum += stream.name.sender ? stream.base.bytes : PayloadBytes{};
    }
    return sum;
}

stats::SideTotal Account::own_total(const Stream& stream) const
{
    return {stream.last.bytes - stream.base.bytes, stream.last.at - stream.base.at,
        signed_of(stream.last.packets) - signed_of(stream.base.packets)};
}

proto::Results Account::results(const stats::CpuUse& cpu) const
{
    proto::Results results;
    results.cpu_total = cpu.total;
    results.cpu_user = cpu.user;
    results.cpu_system = cpu.system;
    results.sender_has_retransmits = -1;
    for (std::uint32_t i = 0; i < streams_.size(); ++i) {
        const Stream& stream = streams_[i];
        const stats::SideTotal total = own_total(stream);
        proto::StreamResult result;
        result.id = proto::stream_id(i);
        result.bytes = signed_of(total.bytes.value);
        result.jitter_s = stream.name.sender ? 0 : stream.last.jitter_s;
        result.errors = stream.last.lost;
        result.omitted_errors = stream.base.lost;
        result.packets = signed_of(stream.last.packets);
        result.omitted_packets = signed_of(stream.base.packets);
        result.start_time_s = 0;
        result.end_time_s = seconds(total.time);
        if (stream.name.sender) {
            results.sender_has_retransmits = tcp_ ? 1 : 0;
            result.retransmits = tcp_ ? retransmits(stream) : result.retransmits;
        }
        results.streams.push_back(result);
    }
    return results;
}

std::vector<stats::StreamTotal> Account::totals(const proto::Results* peer) const
{
    std::vector<stats::StreamTotal> totals;
    for (std::uint32_t i = 0; i < streams_.size(); ++i) {
        const Stream& stream = streams_[i];
        const proto::StreamResult* theirs = result_of(peer, proto::stream_id(i));
        stats::StreamTotal total;
        total.socket = stream.name.socket;
        total.sender = stream.name.sender;
        const stats::SideTotal own = own_total(stream);
        std::optional<stats::SideTotal> other;
        if (theirs != nullptr) {
            other = peer_total(*theirs, own.time, stream.base.packets);
        }
        if (total.sender) {
            total.sent = own;
            total.received = other;
            total.ring_full = stream.last.ring_full - stream.base.ring_full;
            total.offered = stream.last.offered - stream.base.offered;
            if (theirs != nullptr) {
                total.lost = theirs->errors - theirs->omitted_errors.value_or(0);
                total.jitter_s = theirs->jitter_s;
            }
        } else {
            total.sent = other;
            total.received = own;
            total.lost = stream.last.lost - stream.base.lost;
            total.out_of_order = stream.last.out_of_order - stream.base.out_of_order;
            total.jitter_s = stream.last.jitter_s;
            total.arrived = stream.last.arrived - stream.base.arrived;
            total.duplicates = stream.last.duplicates - stream.base.duplicates;
        }
        total.sent_frames = stream.last.sent_frames - stream.base.sent_frames;
        total.received_frames = stream.last.received_frames - stream.base.received_frames;
        total.tcp = tcp_total(stream, theirs);
        total.reordering = stream.last.reordering;
        total.health = stream.last.health;
        totals.push_back(total);
    }
    return totals;
}

}  // namespace dpdkperf::control
