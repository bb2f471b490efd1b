// A TestRun from its beginning to the first packet, and its end. What happens in between is in
// test_run_watch.cpp.

#include "test_run.hpp"

#include "dpdkperf/options/congestion.hpp"
#include "streams.hpp"

namespace dpdkperf::control {

namespace {

using namespace std::chrono_literals;
using proto::IperfError;

// How often the data plane is asked whether something has happened that it does not announce.
constexpr auto kPoll = 1ms;

// A client waits so long for a reply to its hello (iperf 3.12, src/iperf_udp.c).
constexpr auto kHelloPatience = 30s;

// A TCP connection that is refused is tried again so often, after so long.
constexpr std::uint32_t kConnectRetries = 2;
constexpr auto kConnectPause = 100ms;

// A port that has not taken its last packets by then will not.
constexpr auto kDrainPatience = 2s;

// What a TCP sender has not had acknowledged by then does not count at the other side.
constexpr auto kAcknowledgmentPatience = 200ms;

// A peer that has not closed its connections by then is told that ours are gone.
constexpr auto kPartingPatience = 1s;

// Local ports that are tried for one that suits a stream's poller. With 16 queues all of them fail
// once in 10^7 times; the stream then works all the same.
constexpr std::size_t kPortTries = 256;

// iperf3 shows file descriptors; the first stream's is 5 in 3.12, and its clients' rise by two.
int socket_number(std::uint32_t index)
{
    return 5 + 2 * static_cast<int>(index);
}

std::vector<StreamName> names_of(const RunPlan& plan)
{
    std::vector<StreamName> names;
    for (std::uint32_t i = 0; i < plan.parameters.streams(); ++i) {
        const auto direction = direction_of(plan.parameters, plan.server, i);
        names.push_back({socket_number(i), direction == traffic::Direction::kSend});
    }
    return names;
}

}  // namespace

TestRun::TestRun(asio::io_context& loop, DataPath path, PathWatch& watch, stats::ReportSink& sink,
    RunPlan plan, Events events)
    : path_{std::move(path)},
      watch_{watch},
      sink_{sink},
      plan_{std::move(plan)},
      events_{std::move(events)},
      names_{names_of(plan_)},
      account_{names_, plan_.parameters.transport == proto::Transport::kTcp},
      rate_guard_{plan_.max_total_rate, plan_.rate_window},
      house_timer_{loop},
      open_timer_{loop},
      edge_timer_{loop},
      end_timer_{loop},
      limit_timer_{loop},
      finish_timer_{loop},
      rate_timer_{loop}
{
}

// NOLINTNEXTLINE(bugprone-exception-escape): cancelling a timer does not fail
TestRun::~TestRun()
{
    close();
}

Status TestRun::open()
{
    if (auto held = hold_ports(); !held) {
        return held;
    }
    if (auto opened = path_.traffic->open(session_spec()); !opened) {
        return opened;
    }
    opened_ = true;
    stray_before_ = path_.steering->stray().packets;
    claimed_ = true;
    if (auto claimed = claim_flows(); !claimed) {
        return claimed;
    }
    watch_path();
    housekeeping();
    // From the event loop: the caller first learns that all went well.
    open_timer_.after(0ns, [this] { plan_.server ? await_streams() : say_next_hello(); });
    return {};
}

traffic::SessionSpec TestRun::session_spec() const
{
    traffic::SessionSpec spec;
    spec.id = plan_.id;
    spec.local = path_.local;
    spec.remote = plan_.peer;
    spec.next_hop = path_.next_hop;
    spec.server = plan_.server;
    spec.streams = specs_;
    if (tcp()) {
        spec.tcp = tcp_spec(plan_.parameters, plan_.cookie);
        spec.tcp->user_timeout = plan_.snd_timeout;
    }
    if (plan_.file) {
        spec.tcp->file = plan_.file->content();
        for (std::size_t i = 0; i < spec.streams.size(); ++i) {
            spec.streams[i].store = plan_.file->store(i);
        }
    }
    return spec;
}

// A TCP server's port is held by the socket that the control connection came to.
Status TestRun::hold_ports()
{
    const std::uint32_t streams = plan_.parameters.streams();
    std::vector<std::uint16_t> ports(streams, plan_.port);
    const std::uint32_t of_server = tcp() ? 0 : 1;
    for (std::uint32_t i = 0; i < (plan_.server ? of_server : streams); ++i) {
        auto placeholder = hold_port(i);
        if (!placeholder) {
            return std::move(placeholder).error();
        }
        if (!plan_.server) {
            ports[i] = placeholder->port();
        }
        placeholders_.push_back(std::move(*placeholder));
    }
    const std::uint16_t remote_port = plan_.server ? std::uint16_t{0} : plan_.port;
    specs_ = stream_specs(plan_.parameters, plan_.server, ports, remote_port);
    return {};
}

Result<host::PlaceholderSocket> TestRun::hold_port(std::uint32_t index) const
{
    if (plan_.server) {
        return host::PlaceholderSocket::bind({path_.local, plan_.port}, path_.interface_index,
            protocol(), host::PlaceholderSocket::Use::kShared);
    }
    if (plan_.client_port) {
        // As iperf3 does with several streams (3.12, src/iperf_client_api.c).
        const auto port = static_cast<std::uint16_t>(*plan_.client_port + index);
        return host::PlaceholderSocket::bind(
            {path_.local, port}, path_.interface_index, protocol());
    }
    const Endpoint remote{plan_.peer, plan_.port};
    // What does not suit is held until one does, so that the kernel proposes others.
    std::vector<host::PlaceholderSocket> unsuited;
    for (;;) {
        auto held =
            host::PlaceholderSocket::bind({path_.local, 0}, path_.interface_index, protocol());
        if (!held || unsuited.size() == kPortTries ||
            path_.traffic->suits(protocol(), {path_.local, held->port()}, remote, index)) {
            return held;
        }
        unsuited.push_back(std::move(*held));
    }
}

Status TestRun::claim_flows()
{
    const Endpoint remote{plan_.peer, plan_.port};
    if (plan_.server) {
        admitting_ = true;
        return path_.steering->claim_peer(protocol(), {path_.local, plan_.port}, plan_.peer);
    }
    for (const traffic::StreamSpec& spec : specs_) {
        const Endpoint local{path_.local, spec.local_port};
        if (auto s = path_.steering->claim_flow(protocol(), local, remote); !s) {
            return s;
        }
        flows_.emplace_back(local.port, remote.port);
    }
    return {};
}

void TestRun::release_flows()
{
    stop_admitting();
    for (const auto& [local, remote] : flows_) {
        path_.steering->release_flow(protocol(), {path_.local, local}, {plan_.peer, remote});
    }
}

void TestRun::admit_no_more()
{
    if (tcp()) {
        stop_admitting();
    }
}

// A server that expects no more streams.
void TestRun::stop_admitting()
{
    if (std::exchange(admitting_, false)) {
        path_.steering->release_peer(protocol(), {path_.local, plan_.port}, plan_.peer);
    }
}

void TestRun::say_next_hello()
{
    path_.traffic->say_hello(plan_.id, hello_);
    end_timer_.after(kHelloPatience, [this] {
        // 30 s without a datagram; iperf3 reports the socket's EAGAIN.
        fail(tcp() ? proto::Failure{IperfError::kStreamConnect, ETIMEDOUT, {}}
                   : proto::Failure{IperfError::kStreamRead, EAGAIN, {}});
    });
    await_streams();
}

void TestRun::await_streams()
{
    const auto status = path_.traffic->status(plan_.id);
    if (status.open_streams == specs_.size()) {
        end_timer_.cancel();
        report_connections();
        if (Status kept = keep_flows(); !kept) {
            return fail({IperfError::kStreamListen, 0, kept.error().message});
        }
        admit_no_more();
        return events_.streams_open();
    }
    if (!plan_.server && status.streams[hello_].refused) {
        return on_refused(status.streams[hello_].error);
    }
    if (!plan_.server && status.streams[hello_].open) {
        ++hello_;
        refusals_ = 0;
        return say_next_hello();
    }
    open_timer_.after(kPoll, [this] { await_streams(); });
}

// iperf3's server opens its listening socket anew for a client with -w, -M or -N, and for that
// moment refuses connections (3.12, src/iperf_tcp.c, iperf_tcp_listen).
void TestRun::on_refused(int error)
{
    if (!tcp()) {
        const char* const detail = error == 0 ? "no iperf3 server answered the hello" : "";
        return fail({IperfError::kStreamRead, error, detail});
    }
    const bool by_peer = error == ECONNREFUSED || error == ECONNRESET;
    if (!by_peer || ++refusals_ > kConnectRetries) {
        return fail({IperfError::kStreamConnect, error, {}});
    }
    open_timer_.after(kConnectPause, [this] { say_next_hello(); });
}

void TestRun::report_connections()
{
    const auto status = path_.traffic->status(plan_.id);
    std::vector<stats::Connection> connections;
    for (std::size_t i = 0; i < specs_.size(); ++i) {
        const std::uint16_t remote_port = status.streams[i].remote_port;
        connections.push_back(
            {names_[i].socket, {path_.local, specs_[i].local_port}, {plan_.peer, remote_port}});
    }
    sink_.connected(connections);
}

// A server's, which their SYNs have claimed for the time of admission.
Status TestRun::keep_flows()
{
    if (!admitting_ || !tcp()) {
        return {};
    }
    for (const auto& stream : path_.traffic->status(plan_.id).streams) {
        const Endpoint local{path_.local, plan_.port};
        const Endpoint remote{plan_.peer, stream.remote_port};
        if (Status s = path_.steering->claim_flow(protocol(), local, remote); !s) {
            return s;
        }
        flows_.emplace_back(local.port, remote.port);
    }
    return {};
}

void TestRun::finish(std::chrono::nanoseconds linger, std::function<void()> done)
{
    done_ = std::move(done);
    if (closed_ || std::exchange(finishing_, true)) {
        // Somebody else wants to know now. If all is known: from the event loop as ever.
        if (finished_) {
            finish_timer_.after(0ns, [this] { std::exchange(done_, nullptr)(); });
        }
        return;
    }
    linger_ = linger;
    running_ = false;
    finish_asked_ = Moment::clock::now();
    edge_timer_.cancel();
    end_timer_.cancel();
    limit_timer_.cancel();
    rate_timer_.cancel();
    open_timer_.cancel();
    path_.traffic->stop(plan_.id);
    await_drain();
}

void TestRun::await_drain()
{
    const Moment now = Moment::clock::now();
    const auto patience =
        tcp() ? nanoseconds{kAcknowledgmentPatience} : nanoseconds{kDrainPatience};
    if (path_.traffic->status(plan_.id).sending && now - finish_asked_ < patience) {
        return finish_timer_.after(kPoll, [this] { await_drain(); });
    }
    finish_timer_.after(linger_, [this] {
        path_.traffic->finish(plan_.id);
        await_counters();
    });
}

void TestRun::await_counters()
{
    const Moment now = Moment::clock::now();
    if (path_.traffic->status(plan_.id).finished) {
        if (plan_.file) {
            plan_.file->mark();
        }
        return await_file();
    }
    if (now - finish_asked_ > 2 * kDrainPatience) {
        return fail({IperfError::kStreamRead, 0, "the data plane does not answer"});
    }
    finish_timer_.after(kPoll, [this] { await_counters(); });
}

// What counts is in the file when it is reported. However long the disk takes.
void TestRun::await_file()
{
    if (plan_.file && !plan_.file->settled()) {
        return finish_timer_.after(kPoll, [this] { await_file(); });
    }
    if (const auto failure = plan_.file ? plan_.file->failure() : std::nullopt) {
        return fail(*failure);
    }
    conclude();
}

void TestRun::conclude()
{
    finished_ = true;
    cpu_use_ = cpu_.use();
    if (start_) {
        const auto end = finish_asked_ - *start_;
        pass_edges_until(end);
        if (const auto last = snapshots(stats::kFinalEdge)) {
            if (const auto report = account_.end(*last, end, plan_.interval)) {
                sink_.interval(*report);
            }
        }
    }
    const auto done = std::exchange(done_, nullptr);
    done();
}

void TestRun::part(std::function<void()> parted)
{
    await_parting(Moment::clock::now() + kPartingPatience, std::move(parted));
}

void TestRun::await_parting(Moment until, const std::function<void()>& parted)
{
    const bool waits = !closed_ && finished_ && Moment::clock::now() < until;
    if (waits && path_.traffic->status(plan_.id).parting) {
        return finish_timer_.after(kPoll, [this, until, parted] { await_parting(until, parted); });
    }
    close();
    parted();
}

void TestRun::close()
{
    if (std::exchange(closed_, true)) {
        return;
    }
    for (Timer* timer : {&house_timer_, &open_timer_, &edge_timer_, &end_timer_, &limit_timer_,
             &finish_timer_, &rate_timer_}) {
        timer->cancel();
    }
    watch_hold_.reset();
    if (opened_) {
        path_.traffic->close(plan_.id);
    }
    if (claimed_) {
        release_flows();
    }
    placeholders_.clear();
}

proto::Results TestRun::results() const
{
    proto::Results results = account_.results(cpu_use_);
    results.congestion_used = congestion();
    return results;
}

// The name of the algorithm that we use; empty for UDP.
std::string TestRun::congestion() const
{
    const std::string& asked = plan_.parameters.congestion;
    if (!tcp()) {
        return {};
    }
    return options::congestion_named(asked) ? asked : std::string{options::kDefaultCongestion};
}

stats::Summary TestRun::summary(const proto::Results* peer) const
{
    stats::Summary summary;
    summary.streams = account_.totals(peer);
    const auto status = path_.traffic->status(plan_.id);
    for (std::size_t i = 0; i < summary.streams.size(); ++i) {
        summary.streams[i].late = status.streams[i].late;
        if (plan_.file) {
            summary.streams[i].file = plan_.file->facts();
        }
    }
    summary.local = cpu_use_;
    if (peer != nullptr) {
        summary.remote = stats::CpuUse{peer->cpu_total, peer->cpu_user, peer->cpu_system};
    }
    summary.congestion = congestion();
    summary.peer_congestion = peer != nullptr && tcp() ? peer->congestion_used : "";
    const auto trouble = path_.traffic->trouble(plan_.id);
    summary.port = {path_.interface, path_.driver, trouble.bad_checksum, trouble.bad_length,
        trouble.unexpected, trouble.pool_empty, trouble.handed_over, trouble.not_handed_over,
        trouble.impaired, path_.link_speed, path_.traffic->loads(plan_.id)};
    return summary;
}

void TestRun::fail(const proto::Failure& failure)
{
    if (!closed_) {
        events_.failed(failure);
    }
}

}  // namespace dpdkperf::control
