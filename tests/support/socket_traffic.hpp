#pragma once

// A data plane of plain kernel UDP sockets, so that control can run whole tests with stock iperf3
// over loopback. It follows iperf3's rules for datagrams and counters, and is in no hurry.

#include "dpdkperf/traffic/traffic.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace dpdkperf::test {

class SocketTraffic final : public traffic::Traffic {
public:
    SocketTraffic();
    ~SocketTraffic() override;

    // Of what max_datagram() says.
    void limit_datagrams(std::uint64_t bytes) { max_bytes_ = bytes; }

    [[nodiscard]] PayloadBytes max_datagram(bool ipv4) const override;
    [[nodiscard]] bool suits(
        IpProtocol, const Endpoint&, const Endpoint&, std::uint32_t) const override
    {
        return true;
    }
    Status open(const traffic::SessionSpec& spec) override;
    void say_hello(traffic::SessionId id, std::uint32_t index) override;
    void start(traffic::SessionId id, const traffic::Timetable& timetable) override;
    void stop(traffic::SessionId id) override;
    void finish(traffic::SessionId id) override;
    void set_next_hop(traffic::SessionId, const Mac&) override {}
    void take_icmp(traffic::SessionId, std::span<const std::byte>, bool) override {}
    [[nodiscard]] traffic::SessionStatus status(traffic::SessionId id) const override;
    [[nodiscard]] traffic::SessionTrouble trouble(traffic::SessionId id) const override;
    [[nodiscard]] std::vector<stats::PollerLoad> loads(traffic::SessionId) const override
    {
        return {};  // nobody polls
    }
    [[nodiscard]] std::optional<stats::Snapshot> snapshot(
        traffic::SessionId id, std::uint32_t index, std::uint64_t edge) const override;
    void close(traffic::SessionId id) override;

private:
    struct Stream {
        traffic::StreamSpec spec;
        int socket = -1;
        bool said_hello = false, open = false, legacy = false, done = false;
        std::uint16_t remote_port = 0;
        stats::Snapshot now;
        double transit_s = 0;
        bool first = true;
        std::map<std::uint64_t, stats::Snapshot> edges;
    };

    void serve();
    void receive_all();
    void receive(int socket, std::uint16_t port, std::span<const std::byte> datagram);
    bool open_stream(Stream& stream, std::uint16_t port, std::span<const std::byte> datagram);
    void count(Stream& stream, std::span<const std::byte> datagram);
    void send_due();
    void send_datagram(Stream& stream);
    void pass_edges();
    void send_to(const Stream& stream, std::span<const std::byte> bytes) const;

    mutable std::mutex mutex_;  // guards all below
    std::uint64_t max_bytes_ = 65507;
    std::optional<traffic::SessionSpec> session_;
    std::vector<Stream> streams_;
    std::optional<traffic::Timetable> timetable_;
    std::uint64_t next_edge_ = 1;
    bool stopped_ = false, finished_ = false;
    std::jthread worker_;  // last: it uses the others
};

}  // namespace dpdkperf::test
