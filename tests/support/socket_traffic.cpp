#include "socket_traffic.hpp"

#include "dpdkperf/base/endian.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dpdkperf::test {

namespace {

using namespace std::chrono_literals;
using traffic::Direction;

// iperf 3.12, src/iperf.h: UDP_CONNECT_MSG, UDP_CONNECT_REPLY, LEGACY_UDP_CONNECT_REPLY, as they
// are on the wire when a little-endian host sends them.
constexpr char kHello[] = "9876";
constexpr char kReply[] = "6789";
constexpr unsigned char kLegacyReply[] = {0xb1, 0x68, 0xde, 0x3a};

std::span<const std::byte> bytes_of(const char (&text)[5])
{
    return std::as_bytes(std::span{text}.first<4>());
}

sockaddr_in6 to_sockaddr(const Endpoint& endpoint, socklen_t& size)
{
    sockaddr_in6 v6{};
    if (endpoint.address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        v4.sin_addr.s_addr = htonl(endpoint.address.v4());
        std::memcpy(&v6, &v4, sizeof v4);
        size = sizeof v4;
        return v6;
    }
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.address.v6_bytes().data(), 16);
    size = sizeof v6;
    return v6;
}

std::uint16_t port_of(const sockaddr_in6& address)
{
    return ntohs(address.sin6_port);  // at the same place in both families
}

// Control holds the port with a socket that it never reads. A copy of its descriptor can.
int copy_of_socket_on(std::uint16_t port)
{
    for (int fd = 3; fd < 1024; ++fd) {
        int type = 0;
        socklen_t size = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM) {
            continue;
        }
        sockaddr_in6 bound{};
        size = sizeof bound;
        if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
            port_of(bound) == port) {
            const int room = 4 << 20;
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
            return fcntl(fd, F_DUPFD_CLOEXEC, 0);
        }
    }
    return -1;
}

}  // namespace

SocketTraffic::SocketTraffic()
    : worker_{[this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
              serve();
              std::this_thread::sleep_for(200us);
          }
      }}
{
}

SocketTraffic::~SocketTraffic()
{
    worker_.request_stop();
    worker_.join();
    close(0);
}

PayloadBytes SocketTraffic::max_datagram(bool) const
{
    const std::lock_guard lock{mutex_};
    return {max_bytes_};
}

Status SocketTraffic::open(const traffic::SessionSpec& spec)
{
    const std::lock_guard lock{mutex_};
    session_ = spec;
    streams_.clear();
    timetable_.reset();
    next_edge_ = 1;
    stopped_ = finished_ = false;
    for (const traffic::StreamSpec& stream : spec.streams) {
        const bool shared = spec.server && !streams_.empty();
        streams_.emplace_back();
        streams_.back().spec = stream;
        streams_.back().remote_port = stream.remote_port;
        streams_.back().socket =
            shared ? streams_.front().socket : copy_of_socket_on(stream.local_port);
        if (streams_.back().socket < 0) {
            return Error{
                Errc::kSystem, "no socket holds port " + std::to_string(stream.local_port)};
        }
    }
    return {};
}

void SocketTraffic::close(traffic::SessionId)
{
    const std::lock_guard lock{mutex_};
    std::set<int> sockets;
    for (const Stream& stream : streams_) {
        sockets.insert(stream.socket);
    }
    for (const int socket : sockets) {
        ::close(socket);
    }
    streams_.clear();
    session_.reset();
}

void SocketTraffic::say_hello(traffic::SessionId, std::uint32_t index)
{
    const std::lock_guard lock{mutex_};
    streams_[index].said_hello = true;
    send_to(streams_[index], bytes_of(kHello));
}

void SocketTraffic::start(traffic::SessionId, const traffic::Timetable& timetable)
{
    const std::lock_guard lock{mutex_};
    timetable_ = timetable;
}

void SocketTraffic::stop(traffic::SessionId)
{
    const std::lock_guard lock{mutex_};
    stopped_ = true;
}

void SocketTraffic::finish(traffic::SessionId)
{
    const std::lock_guard lock{mutex_};
    receive_all();
    stopped_ = finished_ = true;
    for (Stream& stream : streams_) {
        if (timetable_) {
            stream.now.at = Moment::clock::now() - timetable_->start;
        }
        stream.edges[stats::kFinalEdge] = stream.now;
    }
}

traffic::SessionStatus SocketTraffic::status(traffic::SessionId) const
{
    const std::lock_guard lock{mutex_};
    traffic::SessionStatus status;
    for (const Stream& stream : streams_) {
        status.streams.push_back({stream.open, stream.remote_port, stream.legacy});
        status.open_streams += stream.open ? 1 : 0;
        if (stream.spec.direction == Direction::kSend) {
            status.sent += stream.now.bytes;
            status.datagrams_sent += stream.now.packets;
            status.sending = status.sending || (timetable_ && !stopped_ && !stream.done);
        } else {
            status.received += stream.now.bytes;
            status.datagrams_received += stream.now.arrived;
        }
    }
    status.finished = finished_;
    return status;
}

traffic::SessionTrouble SocketTraffic::trouble(traffic::SessionId) const
{
    return {};
}

std::optional<stats::Snapshot> SocketTraffic::snapshot(
    traffic::SessionId, std::uint32_t index, std::uint64_t edge) const
{
    const std::lock_guard lock{mutex_};
    const auto at = streams_[index].edges.find(edge);
    return at == streams_[index].edges.end() ? std::nullopt : std::optional{at->second};
}

void SocketTraffic::serve()
{
    const std::lock_guard lock{mutex_};
    if (!session_) {
        return;
    }
    if (!finished_) {
        pass_edges();
    }
    receive_all();
    if (timetable_ && !stopped_) {
        send_due();
    }
}

void SocketTraffic::pass_edges()
{
    while (timetable_ && timetable_->edges.has(next_edge_)) {
        const stats::Edge edge = timetable_->edges.edge(next_edge_);
        const auto now = Moment::clock::now() - timetable_->start;
        if (now < edge.at) {
            return;
        }
        for (Stream& stream : streams_) {
            stream.now.edge = edge.number;
            stream.now.at = now;
            stream.edges[edge.number] = stream.now;
            if (edge.ends_omit) {
                stream.first = true;
            }
        }
        ++next_edge_;
    }
}

void SocketTraffic::receive_all()
{
    std::set<int> sockets;
    for (const Stream& stream : streams_) {
        sockets.insert(stream.socket);
    }
    std::array<std::byte, 65536> buffer;
    for (const int socket : sockets) {
        while (true) {
            sockaddr_in6 from{};
            socklen_t size = sizeof from;
            const auto bytes = recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT,
                reinterpret_cast<sockaddr*>(&from), &size);
            if (bytes < 0) {
                break;
            }
            receive(
                socket, port_of(from), std::span{buffer}.first(static_cast<std::size_t>(bytes)));
        }
    }
}

void SocketTraffic::receive(int socket, std::uint16_t port, std::span<const std::byte> datagram)
{
    for (Stream& stream : streams_) {
        if (stream.socket == socket && stream.open && stream.remote_port == port) {
            if (stream.spec.direction == Direction::kReceive && !finished_) {
                count(stream, datagram);
            }
            return;
        }
    }
    for (Stream& stream : streams_) {
        if (stream.socket == socket && !stream.open && open_stream(stream, port, datagram)) {
            return;
        }
    }
}

bool SocketTraffic::open_stream(
    Stream& stream, std::uint16_t port, std::span<const std::byte> datagram)
{
    if (session_->server) {
        stream.remote_port = port;
        stream.open = true;
        const bool from_big_endian =
            datagram.size() == 4 && std::memcmp(datagram.data(), kReply, 4) == 0;
        send_to(stream, bytes_of(from_big_endian ? kHello : kReply));
        return true;
    }
    if (!stream.said_hello || datagram.size() != 4) {
        return false;
    }
    stream.open = true;
    stream.legacy = std::memcmp(datagram.data(), kLegacyReply, 4) == 0;
    return true;
}

// iperf 3.12, src/iperf_udp.c, iperf_udp_recv.
void SocketTraffic::count(Stream& stream, std::span<const std::byte> datagram)
{
    const bool wide = stream.spec.counters_64bit;
    if (datagram.size() < (wide ? 16U : 12U)) {
        return;
    }
    const std::uint64_t number =
        wide ? load_be<std::uint64_t>(&datagram[8]) : load_be<std::uint32_t>(&datagram[8]);
    stats::Snapshot& now = stream.now;
    now.bytes += PayloadBytes{datagram.size()};
    ++now.arrived;
    if (number > now.packets) {
        now.lost += static_cast<std::int64_t>(number - now.packets - 1);
        now.packets = number;
    } else {
        ++now.out_of_order;
        now.lost -= now.lost > 0 ? 1 : 0;
    }
    const double sent_s =
        load_be<std::uint32_t>(&datagram[0]) + load_be<std::uint32_t>(&datagram[4]) / 1e6;
    const double arrived_s =
        std::chrono::duration<double>(Moment::clock::now().time_since_epoch()).count();
    const double transit_s = std::abs(arrived_s - sent_s);
    if (std::exchange(stream.first, false)) {
        stream.transit_s = transit_s;
    }
    now.jitter_s += (std::abs(transit_s - stream.transit_s) - now.jitter_s) / 16;
    stream.transit_s = transit_s;
}

void SocketTraffic::send_due()
{
    const auto elapsed = Moment::clock::now() - timetable_->start;
    for (Stream& stream : streams_) {
        if (stream.spec.direction != Direction::kSend || stream.done) {
            continue;
        }
        const auto& spec = stream.spec;
        const auto due = spec.rate.bps() == 0
                             ? stream.now.packets + 8
                             : static_cast<std::uint64_t>(seconds(elapsed) *
                                                          static_cast<double>(spec.rate.bps()) /
                                                          bits(spec.datagram));
        for (int burst = 0; burst < 64 && stream.now.packets < due && !stream.done; ++burst) {
            send_datagram(stream);
            stream.done = spec.max_datagrams > 0 && stream.now.packets >= spec.max_datagrams;
        }
        stream.done = stream.done || (timetable_->end && elapsed >= *timetable_->end);
    }
}

void SocketTraffic::send_datagram(Stream& stream)
{
    std::vector<std::byte> datagram(stream.spec.datagram.value);
    const auto now = Moment::clock::now().time_since_epoch();
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    store_be<std::uint32_t>(&datagram[0], static_cast<std::uint32_t>(us / 1'000'000));
    store_be<std::uint32_t>(&datagram[4], static_cast<std::uint32_t>(us % 1'000'000));
    ++stream.now.packets;
    if (stream.spec.counters_64bit) {
        store_be<std::uint64_t>(&datagram[8], stream.now.packets);
    } else {
        store_be<std::uint32_t>(&datagram[8], static_cast<std::uint32_t>(stream.now.packets));
    }
    stream.now.bytes += stream.spec.datagram;
    send_to(stream, datagram);
}

void SocketTraffic::send_to(const Stream& stream, std::span<const std::byte> bytes) const
{
    socklen_t size = 0;
    const auto to = to_sockaddr({session_->remote, stream.remote_port}, size);
    (void)sendto(stream.socket, bytes.data(), bytes.size(), MSG_DONTWAIT,
        reinterpret_cast<const sockaddr*>(&to), size);
}

}  // namespace dpdkperf::test
