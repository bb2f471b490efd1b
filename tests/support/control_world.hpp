#pragma once

// Everything around control that a test wants to see or to steer: where ports come from, which
// packets are claimed, what is reported.

#include "dpdkperf/control/data_path.hpp"
#include "dpdkperf/control/path_watch.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

namespace dpdkperf::test {

class FakeSteering final : public host::Steering {
public:
    Status claim_flow(IpProtocol, const Endpoint& local, const Endpoint& remote) override
    {
        claims.push_back("flow " + to_string(local) + " " + to_string(remote));
        return {};
    }
    void release_flow(IpProtocol, const Endpoint& local, const Endpoint& remote) override
    {
        std::erase(claims, "flow " + to_string(local) + " " + to_string(remote));
    }
    Status claim_peer(IpProtocol, const Endpoint& local, const IpAddress& peer) override
    {
        claims.push_back("peer " + to_string(local) + " " + to_string(peer));
        return {};
    }
    void release_peer(IpProtocol, const Endpoint& local, const IpAddress& peer) override
    {
        std::erase(claims, "peer " + to_string(local) + " " + to_string(peer));
    }
    void heartbeat() override { ++heartbeats; }
    [[nodiscard]] Stray stray() const override { return now_stray; }

    std::vector<std::string> claims;
    int heartbeats = 0;
    Stray now_stray;
};

// Hands out paths, later, as real ports do.
class FakePaths final : public control::DataPaths {
public:
    FakePaths(asio::io_context& loop, traffic::Traffic& traffic, host::Steering& steering)
        : loop_{loop}, traffic_{traffic}, steering_{steering}
    {
    }

    [[nodiscard]] control::PathHold acquire(
        const control::PathRequest& request, Handler handler) override
    {
        requests.push_back(request);
        control::PathHold hold{this, [this](void*) { ++releases; }};
        asio::post(
            loop_, [this, user = std::weak_ptr{hold}, request, handler = std::move(handler)] {
                if (!user.expired()) {
                    handler(answer(request));
                }
            });
        return hold;
    }

    Status settle() override
    {
        settled_after.push_back(requests.size());
        return {};
    }

    std::vector<control::PathRequest> requests;
    std::vector<std::size_t> settled_after;  // how many requests
    int releases = 0;
    std::optional<Error> error;  // given instead of a path

private:
    Result<control::DataPath> answer(const control::PathRequest& request)
    {
        if (error) {
            return *error;
        }
        control::DataPath path;
        path.traffic = &traffic_;
        path.steering = &steering_;
        path.interface = "px0";
        path.driver = "kernel";
        path.interface_index = 7;
        path.local = request.local.value_or(request.remote);  // loopback
        return path;
    }

    asio::io_context& loop_;
    traffic::Traffic& traffic_;
    host::Steering& steering_;
};

class FakeWatch final : public control::PathWatch {
public:
    [[nodiscard]] control::WatchHold watch(const control::DataPath&, Events e) override
    {
        events = std::move(e);
        return {this, [this](void*) { events.reset(); }};
    }

    std::optional<Events> events;
};

// Keeps all reports, those of its tests with them, and the order of the calls.
class RecordingSink final : public stats::ReportSink, public stats::TestSinks {
public:
    [[nodiscard]] std::unique_ptr<stats::ReportSink> sink_of(std::uint64_t test) override;

    void listening(std::uint16_t, std::uint64_t) override { note("listening"); }
    void accepted(const Endpoint&) override { note("accepted"); }
    void connecting(const std::string&, std::uint16_t, bool) override { note("connecting"); }
    void started(const stats::TestSettings& s) override
    {
        settings = s;
        note("started");
    }
    void connected(const std::vector<stats::Connection>& c) override
    {
        connections = c;
        note("connected");
    }
    void interval(const stats::IntervalReport& r) override
    {
        intervals.push_back(r);
        note("interval");
    }
    void summary(const stats::Summary& s) override
    {
        summaries.push_back(s);
        note("summary");
    }
    void server_output(const stats::ServerOutput& o) override
    {
        server_outputs.push_back(o);
        note("server_output");
    }
    void failed(const std::string& message) override
    {
        failures.push_back(message);
        note("failed");
    }
    void warned(const std::string& message) override
    {
        warnings.push_back(message);
        note("warned");
    }
    void relay(std::function<void(stats::ServerOutput)> give) override
    {
        note("relay");
        give(printed);
    }
    // In between the others' calls, which it does not order.
    void traced(const stats::Trace& trace) override { traces.push_back(trace); }
    void finished(bool success) override { note(success ? "success" : "finished"); }

    std::vector<std::string> calls;
    std::optional<stats::TestSettings> settings;
    std::vector<stats::Connection> connections;
    std::vector<stats::IntervalReport> intervals;
    std::vector<stats::Summary> summaries;
    std::vector<std::string> failures, warnings;
    std::vector<stats::Trace> traces;
    std::vector<stats::ServerOutput> server_outputs;
    stats::ServerOutput printed;       // what relay() gives
    std::vector<std::uint64_t> tests;  // that a sink was wanted for
    std::function<void(const std::string& call)> on_call;

private:
    void note(const std::string& call)
    {
        calls.push_back(call);
        if (on_call) {
            on_call(call);
        }
    }
};

// Tells another sink.
class ForwardingSink final : public stats::ReportSink {
public:
    explicit ForwardingSink(stats::ReportSink& to) : to_{to} {}

    void listening(std::uint16_t port, std::uint64_t test) override { to_.listening(port, test); }
    void accepted(const Endpoint& peer) override { to_.accepted(peer); }
    void connecting(const std::string& host, std::uint16_t port, bool reverse) override
    {
        to_.connecting(host, port, reverse);
    }
    void started(const stats::TestSettings& s) override { to_.started(s); }
    void connected(const std::vector<stats::Connection>& c) override { to_.connected(c); }
    void interval(const stats::IntervalReport& r) override { to_.interval(r); }
    void server_output(const stats::ServerOutput& o) override { to_.server_output(o); }
    void summary(const stats::Summary& s) override { to_.summary(s); }
    void failed(const std::string& message) override { to_.failed(message); }
    void warned(const std::string& message) override { to_.warned(message); }
    void relay(std::function<void(stats::ServerOutput)> give) override { to_.relay(give); }
    void traced(const stats::Trace& trace) override { to_.traced(trace); }
    void finished(bool success) override { to_.finished(success); }

private:
    stats::ReportSink& to_;
};

inline std::unique_ptr<stats::ReportSink> RecordingSink::sink_of(std::uint64_t test)
{
    tests.push_back(test);
    return std::make_unique<ForwardingSink>(*this);
}

}  // namespace dpdkperf::test
