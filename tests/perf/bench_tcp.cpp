// A bare loop of TCP over af_xdp, without the engine: what pool, driver and kernel leave for it.
//
//   bench_tcp REMOTE PORT SECONDS
//
// connects to a listener that reads and throws away (bench_sink), sends whole segments as
// fast as the peer's window and the driver take them, and resets the connection. It knows one
// connection, writes a sequence number and a checksum into frames that were filled before, and
// reads acknowledgment and window. Nothing may be lost: nothing is sent twice.

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/drivers/af_xdp.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/host/netlink.hpp"
#include "dpdkperf/ports/eal.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "dpdkperf/wire/tcp_view.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

namespace {

using namespace dpdkperf;

constexpr std::uint16_t kLocalPort = 40000;
constexpr std::uint32_t kFirstSequence = 1;
constexpr std::uint8_t kOurScale = 7;
constexpr std::size_t kHeadBytes = 80;  // a SYN has 74
constexpr std::size_t kIpAt = wire::kEthernetSize, kTcpAt = kIpAt + wire::kIpv4Size;

[[noreturn]] void give_up(const std::string& why)
{
    std::fprintf(stderr, "bench_tcp: %s\n", why.c_str());
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): nothing of this process is worth more
}

template <class T>
T checked(Result<T> made)
{
    if (!made) {
        give_up(made.error().message);
    }
    return *std::move(made);
}

class BareTcp {
public:
    BareTcp(const ports::QueuePair& queue, const wire::TcpFlow& flow, std::uint32_t mtu_bytes)
        : queue_{queue},
          writer_{flow},
          local_{flow.source},
          mtu_bytes_{mtu_bytes},
          frame_bytes_{static_cast<std::uint16_t>(wire::kEthernetSize + mtu_bytes)}
    {
    }

    // On the poller's lcore.
    void run(double seconds)
    {
        make_payload();
        fill_pool();
        connect();
        make_head();
        const std::uint64_t begin = rte_rdtsc();
        const auto length = static_cast<std::uint64_t>(seconds * hz());
        while (rte_rdtsc() - begin < length) {
            receive();
            send();
        }
        header_.flags = wire::kTcpRst | wire::kTcpAck;
        header_.sequence = next_;
        send_alone();
    }

private:
    static double hz() { return static_cast<double>(rte_get_tsc_hz()); }

    void connect()
    {
        header_.sequence = kFirstSequence;
        header_.flags = wire::kTcpSyn;
        header_.window = 65535;
        header_.options.mss =
            static_cast<std::uint16_t>(mtu_bytes_ - wire::kIpv4Size - wire::kTcpSize);
        header_.options.window_scale = kOurScale;
        header_.options.sack_permitted = true;
        header_.options.timestamps = {1, 0};
        send_alone();
        const wire::TcpHeader answer = await_syn_ack();
        peer_scale_ = answer.options.window_scale.value_or(0);
        header_ = {.sequence = kFirstSequence + 1,
            .acknowledgment = answer.sequence + 1,
            .window = 65535,
            .flags = wire::kTcpAck,
            .options = {}};
        if (answer.options.timestamps) {
            header_.options.timestamps = {2, answer.options.timestamps->value};
        }
        acknowledged_ = next_ = kFirstSequence + 1;
        window_ = answer.window;
        send_alone();
    }

    wire::TcpHeader await_syn_ack()
    {
        std::array<rte_mbuf*, ports::kMostBurst> mbufs{};
        std::optional<wire::TcpHeader> found;
        for (const auto until = rte_rdtsc() + rte_get_tsc_hz(); !found && rte_rdtsc() < until;) {
            const auto n =
                rte_eth_rx_burst(queue_.port_id, queue_.queue_id, mbufs.data(), queue_.burst);
            for (rte_mbuf* mbuf : std::span{mbufs}.first(n)) {
                const auto view =
                    wire::parse_tcp({rte_pktmbuf_mtod(mbuf, std::byte*), mbuf->data_len});
                if (view.destination == local_ && (view.header.flags & wire::kTcpSyn) != 0) {
                    found = view.header;
                }
                restore(*mbuf);
            }
            rte_pktmbuf_free_bulk(mbufs.data(), n);
        }
        if (!found) {
            give_up("nobody answers");
        }
        return *found;
    }

    void send_alone()
    {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(queue_.pool);
        std::array<std::byte, wire::kMaxTcpFrameHeader> frame{};
        const auto written = writer_.write(frame, header_, 0, wire::Ecn::kNotCapable);
        const std::uint16_t checksum = wire::finish(written.sum);
        std::memcpy(&frame[written.checksum_offset], &checksum, sizeof checksum);
        std::memcpy(rte_pktmbuf_mtod(mbuf, void*), frame.data(), written.size_bytes);
        mbuf->data_len = static_cast<std::uint16_t>(written.size_bytes);
        mbuf->pkt_len = mbuf->data_len;
        while (rte_eth_tx_burst(queue_.port_id, queue_.queue_id, &mbuf, 1) == 0) {
        }
    }

    // A buffer as send() wants it, but for its head.
    void make_payload()
    {
        image_.resize(rte_pktmbuf_data_room_size(queue_.pool));
        for (std::size_t i = 0; i < image_.size(); ++i) {
            image_[i] = static_cast<std::byte>(i * 7);
        }
    }

    // What send() writes in front, with sequence and checksum of nothing: all that the frames of
    // send_alone() may have left.
    void make_head()
    {
        const std::size_t header = kTcpAt + wire::tcp_header_size(header_.options);
        payload_bytes_ = static_cast<std::uint32_t>(frame_bytes_ - header);
        std::byte* const frame = &image_[RTE_PKTMBUF_HEADROOM];
        std::array<std::byte, wire::kMaxTcpFrameHeader> written_to{};
        header_.sequence = 0;
        const auto written =
            writer_.write(written_to, header_, payload_bytes_, wire::Ecn::kNotCapable);
        std::copy_n(written_to.begin(), header, frame);
        base_sum_ = wire::add_bytes(written.sum, {frame + header, payload_bytes_});
        checksum_offset_ = written.checksum_offset;
    }

    void fill_pool()
    {
        std::vector<rte_mbuf*> all;
        while (rte_mbuf* const mbuf = rte_pktmbuf_alloc(queue_.pool)) {
            std::copy(image_.begin(), image_.end(), static_cast<std::byte*>(mbuf->buf_addr));
            all.push_back(mbuf);
        }
        rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
    }

    void receive()
    {
        std::array<rte_mbuf*, ports::kMostBurst> mbufs{};
        const auto n =
            rte_eth_rx_burst(queue_.port_id, queue_.queue_id, mbufs.data(), queue_.burst);
        for (rte_mbuf* mbuf : std::span{mbufs}.first(n)) {
            const auto* const tcp = rte_pktmbuf_mtod_offset(mbuf, const std::byte*, kTcpAt);
            const auto acknowledged = load_be<std::uint32_t>(tcp + wire::kTcpAcknowledgment);
            if (static_cast<std::int32_t>(acknowledged - acknowledged_) >= 0) {
                acknowledged_ = acknowledged;
                window_ = std::uint32_t{load_be<std::uint16_t>(tcp + wire::kTcpWindow)}
                          << peer_scale_;
            }
            restore(*mbuf);
        }
        rte_pktmbuf_free_bulk(mbufs.data(), n);
    }

    // Makes of a received frame what send() wants: what has been written to, or, at the first time,
    // all of it.
    void restore(rte_mbuf& mbuf) const
    {
        auto* const buffer = static_cast<std::byte*>(mbuf.buf_addr);
        const std::size_t end = RTE_PKTMBUF_HEADROOM + frame_bytes_;
        const bool filled = std::equal(&image_[end - 8], &image_[end], buffer + end - 8);
        const std::size_t from = filled ? mbuf.data_off : 0;
        const std::size_t bytes = filled ? mbuf.data_len : image_.size();
        std::memcpy(buffer + from, &image_[from], bytes);
    }

    void send()
    {
        const std::uint32_t room = acknowledged_ + window_ - next_;
        const auto n = static_cast<std::uint16_t>(std::min<std::uint32_t>(
            static_cast<std::int32_t>(room) < 0 ? 0 : room / payload_bytes_, queue_.burst));
        std::array<rte_mbuf*, ports::kMostBurst> mbufs{};
        if (n == 0 || rte_pktmbuf_alloc_bulk(queue_.pool, mbufs.data(), n) != 0) {
            return;
        }
        std::uint32_t sequence = next_;
        for (rte_mbuf* mbuf : std::span{mbufs}.first(n)) {
            mbuf->data_len = frame_bytes_;
            mbuf->pkt_len = frame_bytes_;
            auto* const frame = rte_pktmbuf_mtod(mbuf, std::byte*);
            std::memcpy(frame, &image_[RTE_PKTMBUF_HEADROOM], kHeadBytes);
            const std::uint32_t in_order = rte_cpu_to_be_32(sequence);
            const std::uint16_t checksum = wire::finish(base_sum_ + in_order);
            std::memcpy(frame + kTcpAt + wire::kTcpSequence, &in_order, sizeof in_order);
            std::memcpy(frame + checksum_offset_, &checksum, sizeof checksum);
            sequence += payload_bytes_;
        }
        const auto taken = rte_eth_tx_burst(queue_.port_id, queue_.queue_id, mbufs.data(), n);
        next_ += taken * payload_bytes_;
        rte_pktmbuf_free_bulk(&mbufs[taken], static_cast<unsigned>(n - taken));
    }

    const ports::QueuePair& queue_;
    const wire::TcpFrameWriter writer_;
    const Endpoint local_;
    const std::uint32_t mtu_bytes_;
    const std::uint16_t frame_bytes_;
    wire::TcpHeader header_;
    std::uint8_t peer_scale_ = 0;
    std::uint32_t acknowledged_ = 0, next_ = 0, window_ = 0;
    std::vector<std::byte> image_;
    std::uint32_t payload_bytes_ = 0;
    std::size_t checksum_offset_ = 0;
    wire::ChecksumSum base_sum_ = 0;
};

}  // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> own{argv + 1, argv + argc};
    if (own.size() != 3) {
        give_up("usage: bench_tcp REMOTE PORT SECONDS");
    }
    const Endpoint remote{
        checked(IpAddress::parse(own[0])), static_cast<std::uint16_t>(std::stoul(own[1]))};
    auto keeper = checked(host::Keeper::start());
    const auto eal = checked(ports::Eal::start(ports::eal_arguments(
        {.cpu = 1, .memory_mb = 256, .hugepages = false, .file_prefix = "bench_tcp"})));
    const auto route = checked(host::route_to(remote.address, {}, {}));
    const auto hop = checked(
        host::resolve_neighbour(route.interface, route.next_hop, std::chrono::milliseconds{2000}));
    const auto port = checked(drivers::AfXdpPort::open(route.interface, eal, keeper));
    const Endpoint local{route.source, kLocalPort};
    port->steering().heartbeat();
    if (!port->steering().claim_flow(IpProtocol::kTcp, local, remote)) {
        give_up("the flow is not ours");
    }
    BareTcp bare{port->queues().front(),
        {.source_mac = route.interface.mac,
            .next_hop = hop,
            .source = local,
            .destination = remote},
        route.interface.mtu_bytes};
    std::atomic<bool> done{false};
    const unsigned lcore = eal.poller_lcores().front();
    eal.launch(lcore, [&] {
        bare.run(std::stod(own[2]));
        done = true;
    });
    while (!done) {
        port->steering().heartbeat();
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    eal.wait(lcore);
    return 0;
}
