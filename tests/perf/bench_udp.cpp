// The UDP sender of the engine on any virtual device, without a peer: one stream and one queue for
// each poller, of which EAL's arguments make one if they say nothing.
//
//   bench_udp VDEV[,ARGS] FRAME_BYTES SECONDS [MAX_DATAGRAMS|send|receive] [-- EAL ARGUMENTS]
//
// prints one line of JSON. With a limit it stops there: a capture (net_pcap0,tx_pcap=FILE) of it
// can then be checked packet by packet.
//
// "send" and "receive" are bare loops, without the engine: what the pool and the driver leave for
// it. The one takes mbufs, writes a sequence number into each, which no sender can do without, and
// gives them to the driver; the other takes what comes, from the first packet on, and frees it.

#include "dpdkperf/drivers/families.hpp"
#include "dpdkperf/engine/engine.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

namespace {

using namespace dpdkperf;

// What keeps the poller's lcore busy.
enum class Loop { kEngine, kSend, kReceive };

struct Arguments {
    std::string device, device_arguments;
    std::uint64_t frame_bytes = 64;
    double seconds = 1;
    std::uint64_t max_datagrams = 0;
    Loop loop = Loop::kEngine;
    std::vector<std::string> eal{"-l", "0,1", "--in-memory", "--no-pci"};
};

Arguments parse(const std::vector<std::string>& args)
{
    Arguments a;
    const auto dashes = std::find(args.begin(), args.end(), "--");
    if (dashes != args.end()) {
        a.eal.assign(dashes + 1, args.end());
    }
    const std::vector<std::string> own{args.begin(), dashes};
    if (own.size() < 3) {
        std::fprintf(stderr,
            "bench_udp VDEV[,ARGS] FRAME_BYTES SECONDS [MAX|send|receive] [-- EAL ARGUMENTS]\n");
        std::exit(1);  // NOLINT(concurrency-mt-unsafe): no thread exists yet
    }
    const auto comma = own[0].find(',');
    a.device = own[0].substr(0, comma);
    a.device_arguments = comma == std::string::npos ? "" : own[0].substr(comma + 1);
    a.frame_bytes = std::stoull(own[1]);
    a.seconds = std::stod(own[2]);
    const std::string what = own.size() > 3 ? own[3] : "0";
    if (what == "send") {
        a.loop = Loop::kSend;
    } else if (what == "receive") {
        a.loop = Loop::kReceive;
    } else {
        a.max_datagrams = std::stoull(what);
    }
    return a;
}

std::uint16_t mtu_bytes(const Arguments& a)
{
    constexpr std::uint64_t kEthernet = 14;
    return static_cast<std::uint16_t>(std::max<std::uint64_t>(1500, a.frame_bytes - kEthernet));
}

Result<ports::Port> open_port(const Arguments& a, std::size_t queue_pairs)
{
    rte_eal_hotplug_add("vdev", a.device.c_str(), a.device_arguments.c_str());
    std::uint16_t id = 0;
    if (rte_eth_dev_get_port_by_name(a.device.c_str(), &id) != 0) {
        return Error{Errc::kDevice, "no device " + a.device};
    }
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id, &info);
    auto port = ports::Port::configure(
        id, ports::plan_for({.queue_pairs = static_cast<std::uint16_t>(queue_pairs),
                                .mtu_bytes = mtu_bytes(a),
                                .transmits_only = a.loop != Loop::kReceive},
                info, drivers::families()));
    if (port) {
        if (Status started = port->start(); !started) {
            return std::move(started).error();
        }
    }
    return port;
}

void print(std::uint64_t packets, double seconds)
{
    std::printf("{\"packets\": %llu, \"seconds\": %.6f, \"mpps\": %.3f}\n",
        static_cast<unsigned long long>(packets), seconds,
        static_cast<double>(packets) / seconds / 1e6);
}

std::uint64_t ticks(double seconds)
{
    return static_cast<std::uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
}

double seconds(std::uint64_t ticks)
{
    return static_cast<double>(ticks) / static_cast<double>(rte_get_tsc_hz());
}

// On the poller's lcore, as the next one.
void send_bare(const ports::QueuePair& queue, const Arguments& a)
{
    constexpr std::size_t kSequenceAt = 48;
    std::array<rte_mbuf*, ports::kMostBurst> mbufs{};
    std::uint64_t packets = 0, sequence = 0;
    const std::uint64_t begin = rte_rdtsc();
    const std::uint64_t length = ticks(a.seconds);
    std::uint64_t now = begin;
    for (; now - begin < length; now = rte_rdtsc()) {
        rte_mempool_get_bulk(queue.pool, reinterpret_cast<void**>(mbufs.data()), queue.burst);
        for (rte_mbuf* mbuf : std::span{mbufs}.first(queue.burst)) {
            mbuf->data_len = static_cast<std::uint16_t>(a.frame_bytes);
            mbuf->pkt_len = static_cast<std::uint32_t>(a.frame_bytes);
            *rte_pktmbuf_mtod_offset(mbuf, std::uint64_t*, kSequenceAt) = ++sequence;
        }
        const auto taken =
            rte_eth_tx_burst(queue.port_id, queue.queue_id, mbufs.data(), queue.burst);
        packets += taken;
        rte_pktmbuf_free_bulk(&mbufs[taken], queue.burst - taken);
    }
    print(packets, seconds(now - begin));
}

void receive_bare(const ports::QueuePair& queue, const Arguments& a)
{
    std::array<rte_mbuf*, ports::kMostBurst> mbufs{};
    std::uint64_t packets = 0;
    std::uint64_t begin = rte_rdtsc();
    const std::uint64_t length = ticks(a.seconds), longest_wait = ticks(20);
    std::uint64_t now = begin;
    for (; now - begin < (packets == 0 ? longest_wait : length); now = rte_rdtsc()) {
        const auto came =
            rte_eth_rx_burst(queue.port_id, queue.queue_id, mbufs.data(), queue.burst);
        if (packets == 0 && came > 0) {
            begin = now;
        }
        packets += came;
        rte_pktmbuf_free_bulk(mbufs.data(), came);
    }
    print(packets, seconds(now - begin));
}

void run(traffic::Traffic& engine, const Arguments& a, std::size_t streams)
{
    traffic::StreamSpec stream;
    stream.local_port = 40000;
    stream.remote_port = 5201;
    stream.datagram = {a.frame_bytes - 42};
    stream.max_datagrams = a.max_datagrams;
    const auto opened = engine.open({.id = 1,
        .local = IpAddress::from_v4(0x0a000001),
        .remote = IpAddress::from_v4(0x0a000002),
        .next_hop = {{2, 0, 0, 0, 0, 2}},
        .server = false,
        .streams = std::vector(streams, stream)});
    if (!opened) {
        std::fprintf(stderr, "%s\n", opened.error().message.c_str());
        std::exit(1);  // NOLINT(concurrency-mt-unsafe): the pollers do not exit
    }
    const std::chrono::nanoseconds length{static_cast<std::int64_t>(a.seconds * 1e9)};
    engine.start(1, {.start = std::chrono::steady_clock::now(), .edges = {}, .end = length});
    while (engine.status(1).sending) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    std::uint64_t packets = 0;
    std::chrono::nanoseconds longest{0};
    for (std::uint32_t i = 0; i < streams; ++i) {
        const auto last = engine.snapshot(1, i, stats::kFinalEdge);
        packets += last->packets;
        longest = std::max(longest, last->at);
    }
    print(packets, std::chrono::duration<double>(longest).count());
    engine.close(1);
}

}  // namespace

int main(int argc, char** argv)
{
    const Arguments a = parse({argv + 1, argv + argc});
    auto eal = ports::Eal::start(ports::eal_arguments(a.eal, {.file_prefix = "bench_udp"}));
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().message.c_str());
        return 1;
    }
    const auto lcores = eal->poller_lcores();
    std::optional<ports::Port> port;
    eal->run([&] {
        auto opened = open_port(a, lcores.size());
        if (opened) {
            port.emplace(*std::move(opened));
        } else {
            std::fprintf(stderr, "%s\n", opened.error().message.c_str());
        }
    });
    if (!port) {
        return 1;
    }
    if (a.loop != Loop::kEngine) {
        const auto& loop = a.loop == Loop::kSend ? send_bare : receive_bare;
        eal->launch(lcores.front(), [&] { loop(port->queue_pairs().front(), a); });
        eal->wait(lcores.front());
    } else {
        std::vector<engine::PollerSetup> pollers;
        for (std::size_t i = 0; i < lcores.size(); ++i) {
            pollers.push_back({lcores[i], {port->queue_pairs()[i]}});
        }
        auto engine = engine::create_engine(
            {.eal = &*eal, .pollers = pollers, .mac = port->mac(), .mtu_bytes = 1500});
        if (!engine) {
            std::fprintf(stderr, "%s\n", engine.error().message.c_str());
            return 1;
        }
        run(**engine, a, lcores.size());
    }
    eal->run([&] { port.reset(); });
    return 0;
}
