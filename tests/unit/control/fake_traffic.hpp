#pragma once

#include "dpdkperf/traffic/traffic.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace dpdkperf::test {

// A data plane without packets: streams open when told to, counters follow the clock. A thousand
// datagrams pass per second on every stream.
class FakeTraffic final : public traffic::Traffic {
public:
    bool hellos_work = true;
    bool data_arrives = true;
    std::uint64_t max_bytes = 1472;
    std::uint16_t suiting = 1;  // local ports suit that are multiples of it

    std::vector<std::string> calls;
    std::vector<traffic::SessionSpec> sessions;
    std::vector<traffic::Timetable> timetables;
    std::vector<Mac> next_hops;
    std::size_t icmp_bytes = 0;
    // Of every stream once it is open, or instead of being opened.
    int error = 0;
    bool refused = false;
    std::uint64_t max_on_path = 0;
    bool parting = false;                    // after finish()
    std::chrono::nanoseconds drains_for{0};  // after stop()

    [[nodiscard]] PayloadBytes max_datagram(bool) const override { return {max_bytes}; }

    [[nodiscard]] bool suits(IpProtocol /*protocol*/, const Endpoint& local, const Endpoint&,
        std::uint32_t) const override
    {
        return local.port % suiting == 0;
    }
    Status open(const traffic::SessionSpec& spec) override
    {
        calls.emplace_back("open");
        sessions.push_back(spec);
        states_[spec.id] = {.spec = spec};
        return {};
    }
    void say_hello(traffic::SessionId id, std::uint32_t index) override
    {
        calls.push_back("hello " + std::to_string(index));
        states_.at(id).greeted = index + 1;
    }
    void start(traffic::SessionId id, const traffic::Timetable& timetable) override
    {
        calls.emplace_back("start");
        timetables.push_back(timetable);
        states_.at(id).timetable = timetable;
    }
    void stop(traffic::SessionId id) override
    {
        calls.emplace_back("stop");
        states_.at(id).stopped = Moment::clock::now();
    }
    void finish(traffic::SessionId id) override
    {
        calls.emplace_back("finish");
        states_.at(id).end = Moment::clock::now();
    }
    void set_next_hop(traffic::SessionId, const Mac& mac) override { next_hops.push_back(mac); }

    void take_icmp(traffic::SessionId, std::span<const std::byte> message, bool) override
    {
        icmp_bytes += message.size();
    }

    [[nodiscard]] traffic::SessionStatus status(traffic::SessionId id) const override
    {
        traffic::SessionStatus status;
        const State& state = states_.at(id);
        const auto& spec = state.spec;
        for (std::uint32_t i = 0; i < spec.streams.size(); ++i) {
            const bool open = hellos_work && !refused && (spec.server || i < state.greeted);
            traffic::StreamStatus& stream = status.streams.emplace_back();
            stream.open = open;
            stream.remote_port = spec.server ? std::uint16_t{4000} : std::uint16_t{5201};
            stream.refused = refused;
            stream.error = error;
            stream.max_datagram = {max_on_path};
            status.open_streams += open ? 1 : 0;
            add(spec.streams[i], state, status);
        }
        status.finished = state.end.has_value();
        status.parting = state.end.has_value() && parting;
        return status;
    }
    [[nodiscard]] traffic::SessionTrouble trouble(traffic::SessionId) const override { return {}; }
    [[nodiscard]] std::vector<stats::PollerLoad> loads(traffic::SessionId) const override
    {
        return {{.cpu = 3, .turns = 10, .busy_turns = 5, .time = {}, .busy_time = {}}};
    }

    [[nodiscard]] std::optional<stats::Snapshot> snapshot(
        traffic::SessionId id, std::uint32_t index, std::uint64_t edge) const override
    {
        const State& state = states_.at(id);
        const auto& spec = state.spec.streams[index];
        if (!state.timetable || (edge == stats::kFinalEdge && !state.end)) {
            return {};
        }
        const Moment start = state.timetable->start;
        const auto at =
            edge == stats::kFinalEdge ? *state.end - start : state.timetable->edges.edge(edge).at;
        if (start + at > Moment::clock::now()) {
            return {};
        }
        stats::Snapshot snapshot;
        snapshot.edge = edge;
        snapshot.at = at;
        snapshot.packets = passed(spec, at);
        snapshot.arrived = snapshot.packets;
        snapshot.bytes = {snapshot.packets * spec.datagram.value};
        return snapshot;
    }
    void close(traffic::SessionId id) override
    {
        calls.emplace_back("close");
        states_.erase(id);
    }

private:
    struct State {
        traffic::SessionSpec spec;
        std::uint32_t greeted = 0;
        std::optional<traffic::Timetable> timetable = std::nullopt;  // once started
        std::optional<Moment> stopped = std::nullopt;
        std::optional<Moment> end = std::nullopt;  // once finished
    };

    [[nodiscard]] std::uint64_t passed(
        const traffic::StreamSpec& spec, std::chrono::nanoseconds time) const
    {
        if (spec.direction == traffic::Direction::kReceive && !data_arrives) {
            return 0;
        }
        const auto n =
            static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)) / 1'000'000;
        return spec.max_datagrams > 0 ? std::min(n, spec.max_datagrams) : n;
    }

    void add(
        const traffic::StreamSpec& spec, const State& state, traffic::SessionStatus& status) const
    {
        if (!state.timetable) {
            return;
        }
        const auto now = state.end.value_or(Moment::clock::now());
        const std::uint64_t n = passed(spec, now - state.timetable->start);
        const PayloadBytes bytes{n * spec.datagram.value};
        if (spec.direction == traffic::Direction::kSend) {
            status.sent += bytes;
            status.datagrams_sent += n;
            const bool left = state.end || (state.stopped && now - *state.stopped >= drains_for);
            status.sending =
                status.sending || (!left && !(spec.max_datagrams > 0 && n >= spec.max_datagrams));
        } else {
            status.received += bytes;
            status.datagrams_received += n;
        }
    }

    std::map<traffic::SessionId, State> states_;
};

}  // namespace dpdkperf::test
