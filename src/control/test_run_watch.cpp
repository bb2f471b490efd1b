// A TestRun while the test runs: intervals, limits, and what may go wrong.

#include "streams.hpp"
#include "test_run.hpp"

#include <algorithm>

namespace dpdkperf::control {

namespace {

using namespace std::chrono_literals;
using proto::IperfError;
using std::chrono::nanoseconds;

// A poller publishes a snapshot within a turn after the edge; the second figure is for one that
// the scheduler has put aside. SnapshotSlots keeps the last 16 edges, iperf3's shortest interval
// is 100 ms.
constexpr auto kEdgeDelay = 1ms;
constexpr auto kEdgePatience = 1s;

// Limits of bytes and blocks are looked at so often.
constexpr auto kLimitPoll = 1ms;

// How often the rate is compared with its limit, or twice in a shorter window.
constexpr auto kRateLook = 250ms;

// Steering wants a heartbeat every second.
constexpr auto kHousekeeping = 250ms;

}  // namespace

void TestRun::start_clock()
{
    start_ = Moment::clock::now();
    cpu_ = CpuClock{};
}

std::optional<nanoseconds> TestRun::planned_end() const
{
    const proto::Parameters& p = plan_.parameters;
    if (plan_.server || p.time.count() == 0) {
        return {};
    }
    return p.omit + p.time;
}

void TestRun::start_traffic()
{
    const nanoseconds omit = plan_.parameters.omit;
    edges_ = stats::EdgeSchedule{omit, plan_.interval};
    if (omit.count() > 0) {
        account_.expect_omit();
    }
    running_ = true;
    received_since_ = Moment::clock::now();
    const auto end = planned_end();
    path_.traffic->start(plan_.id, {*start_, edges_, end});
    if (end) {
        end_timer_.at(*start_ + *end, [this] { events_.over(); });
    }
    await_next_edge();
    if (plan_.max_total_rate.bps() > 0) {
        guard_rate();
    }
    const bool limited = plan_.parameters.bytes > 0 || plan_.parameters.blocks > 0 || sends_file();
    if (!plan_.server && limited) {
        await_limit();
    }
}

void TestRun::await_next_edge()
{
    if (!edges_.has(next_edge_)) {
        return;
    }
    const stats::Edge edge = edges_.edge(next_edge_);
    const auto end = planned_end();
    // The interval that the end of the test closes is reported with the final counters.
    if (!end || edge.at < *end) {
        edge_timer_.at(*start_ + edge.at + kEdgeDelay, [this] { pass_edge(); });
    }
}

void TestRun::pass_edge()
{
    const stats::Edge edge = edges_.edge(next_edge_);
    if (try_pass(edge)) {
        return await_next_edge();
    }
    if (Moment::clock::now() - *start_ < edge.at + kEdgePatience) {
        return edge_timer_.after(kEdgeDelay, [this] { pass_edge(); });
    }
    if (edge.ends_omit) {
        return fail({IperfError::kStreamRead, 0,
            "a poller on " + path_.interface + " has missed the end of the omitted part"});
    }
    // The next report covers this interval, too.
    ++next_edge_;
    await_next_edge();
}

bool TestRun::try_pass(const stats::Edge& edge)
{
    const auto all = snapshots(edge.number);
    if (!all) {
        return false;
    }
    ++next_edge_;
    if (const auto report = account_.pass(edge, *all)) {
        sink_.interval(*report);
    }
    return true;
}

void TestRun::pass_edges_until(nanoseconds end)
{
    const auto planned = planned_end();
    const nanoseconds last = planned ? std::min(end, *planned - 1ns) : end;
    while (edges_.has(next_edge_) && edges_.edge(next_edge_).at <= last) {
        if (!try_pass(edges_.edge(next_edge_))) {
            ++next_edge_;
        }
    }
}

std::optional<std::vector<stats::Snapshot>> TestRun::snapshots(std::uint64_t edge) const
{
    std::vector<stats::Snapshot> all;
    for (std::uint32_t i = 0; i < specs_.size(); ++i) {
        const auto snapshot = path_.traffic->snapshot(plan_.id, i, edge);
        if (!snapshot) {
            return {};
        }
        all.push_back(*snapshot);
    }
    return all;
}

void TestRun::await_limit()
{
    if (limit_is_reached()) {
        return events_.over();
    }
    limit_timer_.after(kLimitPoll, [this] { await_limit(); });
}

// iperf3 ends a test when either direction has reached the limit (3.12, src/iperf_client_api.c).
// What is received counts from the start, the omitted part included; what is sent does not.
bool TestRun::limit_is_reached() const
{
    const proto::Parameters& p = plan_.parameters;
    const auto status = path_.traffic->status(plan_.id);
    const bool sends = has_direction(p, false, traffic::Direction::kSend);
    const bool senders_are_done = sends && !status.sending;
    if (sends_file() && senders_are_done) {
        return true;
    }
    if (!account_.counting()) {
        return false;
    }
    const PayloadBytes sent = status.sent - account_.omitted_sent();
    const std::uint64_t sent_blocks = sent.value / p.block_bytes;
    const std::uint64_t received_blocks =
        tcp() ? status.received.value / p.block_bytes : status.datagrams_received;
    return (senders_are_done && p.omit.count() == 0) ||
           (p.bytes > 0 && std::max(sent, status.received).value >= p.bytes) ||
           (p.blocks > 0 && std::max(sent_blocks, received_blocks) >= p.blocks);
}

void TestRun::watch_path()
{
    PathWatch::Events events;
    events.next_hop_moved = [this](const Mac& mac) {
        if (!closed_ && mac != path_.next_hop) {
            path_.next_hop = mac;
            path_.traffic->set_next_hop(plan_.id, mac);
        }
    };
    events.interface_removed = [this] {
        fail({IperfError::kStreamRead, 0, "interface " + path_.interface + " was removed"});
    };
    events.link_changed = [this](bool up) {
        if (!closed_ && !up) {
            sink_.warned("interface " + path_.interface + " is down");
        }
    };
    events.route_left = [this](const std::string& where_to) {
        if (!closed_) {
            sink_.warned(where_to + "; the test stays on " + path_.interface);
        }
    };
    events.icmp_came = [this](std::span<const std::byte> message, bool ipv4) {
        if (!closed_ && ipv4 == plan_.peer.is_v4()) {
            path_.traffic->take_icmp(plan_.id, message, ipv4);
        }
    };
    watch_hold_ = watch_.watch(path_, std::move(events));
}

void TestRun::housekeeping()
{
    path_.steering->heartbeat();
    if (const auto trouble = find_trouble()) {
        return fail(*trouble);
    }
    house_timer_.after(kHousekeeping, [this] { housekeeping(); });
}

void TestRun::guard_rate()
{
    const auto status = path_.traffic->status(plan_.id);
    if (rate_guard_.exceeded(Moment::clock::now(), status.sent + status.received)) {
        return fail({IperfError::kRateLimit, 0, {}});
    }
    rate_timer_.after(
        std::min<nanoseconds>(kRateLook, plan_.rate_window / 2), [this] { guard_rate(); });
}

std::optional<proto::Failure> TestRun::find_trouble()
{
    const auto stray = path_.steering->stray();
    if (stray.packets > stray_before_) {
        return proto::Failure{IperfError::kStreamRead, 0,
            std::to_string(stray.packets - stray_before_) +
                " packets of the test arrived on queue " + std::to_string(stray.queue) + " of " +
                path_.interface +
                ", where nobody listens: its RSS spreads flows over more queues than are ours"};
    }
    if (const auto failure = plan_.file ? plan_.file->failure() : std::nullopt;
        failure && running_) {
        return failure;
    }
    if (!running_) {
        return {};
    }
    const auto status = path_.traffic->status(plan_.id);
    if (data_is_missing(status)) {
        return proto::Failure{IperfError::kNoData, 0, {}};
    }
    for (std::size_t i = 0; i < status.streams.size(); ++i) {
        if (status.streams[i].error != 0) {
            return stream_failure(specs_[i], status.streams[i]);
        }
    }
    return {};
}

// In iperf3's words, of the call that would have failed.
proto::Failure TestRun::stream_failure(
    const traffic::StreamSpec& spec, const traffic::StreamStatus& status)
{
    proto::Failure failure{IperfError::kStreamRead, status.error, {}};
    if (spec.direction == traffic::Direction::kSend) {
        failure.number = IperfError::kStreamWrite;
    }
    if (status.max_datagram.value != 0) {
        failure.detail = "datagrams of " + std::to_string(spec.datagram.value) +
                         " bytes do not fit the path, at most " +
                         std::to_string(status.max_datagram.value) + " do (-l)";
    }
    return failure;
}

bool TestRun::data_is_missing(const traffic::SessionStatus& status)
{
    const Moment now = Moment::clock::now();
    if (status.received != received_before_ ||
        !has_direction(plan_.parameters, plan_.server, traffic::Direction::kReceive)) {
        received_before_ = status.received;
        received_since_ = now;
    }
    return now - received_since_ >= plan_.rcv_timeout;
}

}  // namespace dpdkperf::control
