// The UDP sender of the engine on any virtual device, without a peer: one stream and one queue for
// each poller, of which EAL's arguments make one if they say nothing.
//
//   bench_udp VDEV[,ARGS] FRAME_BYTES SECONDS [MAX_DATAGRAMS|bare] [-- EAL ARGUMENTS]
//
// prints one line of JSON. With a limit it stops there: a capture (net_pcap0,tx_pcap=FILE) of it
// can then be checked packet by packet. "bare" takes mbufs from the pool and gives them to the
// driver, and writes nothing: what the pool and the driver leave for a sender.

#include "dpdkperf/drivers/families.hpp"
#include "dpdkperf/engine/udp_engine.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

namespace {

using namespace dpdkperf;

struct Arguments {
    std::string device, device_arguments;
    std::uint64_t frame_bytes = 64;
    double seconds = 1;
    std::uint64_t max_datagrams = 0;
    bool bare = false;
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
        std::fprintf(
            stderr, "bench_udp VDEV[,ARGS] FRAME_BYTES SECONDS [MAX|bare] [-- EAL ARGUMENTS]\n");
        std::exit(1);  // NOLINT(concurrency-mt-unsafe): no thread exists yet
    }
    const auto comma = own[0].find(',');
    a.device = own[0].substr(0, comma);
    a.device_arguments = comma == std::string::npos ? "" : own[0].substr(comma + 1);
    a.frame_bytes = std::stoull(own[1]);
    a.seconds = std::stod(own[2]);
    a.bare = own.size() > 3 && own[3] == "bare";
    a.max_datagrams = own.size() > 3 && !a.bare ? std::stoull(own[3]) : 0;
    return a;
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
                                .mtu_bytes = 1500,
                                .transmits_only = true},
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

// On the poller's lcore.
void send_bare(const ports::QueuePair& queue, const Arguments& a)
{
    constexpr unsigned kBurst = 64;  // the engine's
    std::array<rte_mbuf*, kBurst> mbufs{};
    std::uint64_t packets = 0;
    const std::uint64_t begin = rte_rdtsc();
    const auto length =
        static_cast<std::uint64_t>(a.seconds * static_cast<double>(rte_get_tsc_hz()));
    std::uint64_t now = begin;
    for (; now - begin < length; now = rte_rdtsc()) {
        rte_mempool_get_bulk(queue.pool, reinterpret_cast<void**>(mbufs.data()), kBurst);
        for (rte_mbuf* mbuf : mbufs) {
            mbuf->data_len = static_cast<std::uint16_t>(a.frame_bytes);
            mbuf->pkt_len = static_cast<std::uint32_t>(a.frame_bytes);
        }
        const auto taken = rte_eth_tx_burst(queue.port_id, queue.queue_id, mbufs.data(), kBurst);
        packets += taken;
        rte_pktmbuf_free_bulk(&mbufs[taken], kBurst - taken);
    }
    print(packets, static_cast<double>(now - begin) / static_cast<double>(rte_get_tsc_hz()));
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
    if (a.bare) {
        eal->launch(lcores.front(), [&] { send_bare(port->queue_pairs().front(), a); });
        eal->wait(lcores.front());
    } else {
        std::vector<engine::PollerSetup> pollers;
        for (std::size_t i = 0; i < lcores.size(); ++i) {
            pollers.push_back({lcores[i], {port->queue_pairs()[i]}});
        }
        auto engine = engine::create_udp_engine(
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
