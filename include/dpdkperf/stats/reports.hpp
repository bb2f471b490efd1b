#pragma once

// What there is to report about a test, as finished numbers. Control produces these values, the
// reporter renders them; neither knows the other.

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/units.hpp"
#include "dpdkperf/stats/frames.hpp"
#include "dpdkperf/stats/impaired.hpp"
#include "dpdkperf/stats/requirement.hpp"
#include "dpdkperf/stats/tcp_health.hpp"
#include "dpdkperf/stats/turn_meter.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::stats {

// *Settings*: what the two sides agreed on.
struct TestSettings {
    bool server = false;
    std::string host;              // client: as the user wrote it
    std::uint16_t port = 0;        // the server's
    std::optional<Endpoint> peer;  // server: the other end of the control connection
    std::string cookie;
    std::chrono::system_clock::time_point wall_clock;
    bool udp = true;
    std::uint32_t streams = 1;      // per direction
    std::uint64_t block_bytes = 0;  // UDP: payload of a datagram
    std::chrono::seconds omit{0};
    std::chrono::seconds duration{0};  // 0: without end, or ended by bytes or blocks
    std::uint64_t bytes = 0;           // -n
    std::uint64_t blocks = 0;          // -k
    bool reverse = false;
    bool bidirectional = false;
    std::uint8_t tos = 0;
    BitRate rate;     // per stream, 0: unlimited
    BitRate fq_rate;  // --fq-rate, 0: none
    std::uint32_t burst = 0;
    std::chrono::nanoseconds interval{0};
    std::uint64_t window_bytes = 0;       // -w
    std::uint64_t mss_bytes = 0;          // -M, TCP
    std::uint64_t control_mss_bytes = 0;  // client: of the control connection; server: 0
    bool block_from_mss = false;          // block_bytes was derived from it
    std::string title, extra_data;        // -T, --extra-data
    bool relayed = false;                 // --get-server-output
    std::string impairment;               // --impair as it may be given again; empty: none
    std::string peer_version;             // server: as the client calls it; empty: not told
    std::string port_plan;                // as --dry-run prints it; empty: not asked for
};

// *Connection*: the two ends of a stream.
struct Connection {
    int socket = 0;  // the number in brackets, which iperf3 takes from the file descriptor
    Endpoint local, remote;
};

// What a TCP sender knows besides, at the end of an interval (iperf 3.12, src/tcp_info.c).
struct TcpState {
    std::int64_t retransmits = 0;  // segments, in the interval
    std::uint64_t cwnd_bytes = 0, peer_window_bytes = 0;
    std::uint64_t rtt_us = 0, rttvar_us = 0;
    std::uint64_t path_mtu_bytes = 0;
    std::uint64_t reordering = 0;  // segments, as tcpi_reordering of Linux
};

// The same over all intervals, the omitted ones too. A peer tells its retransmissions only.
struct TcpTotal {
    std::int64_t retransmits = 0;
    std::uint64_t max_cwnd_bytes = 0, max_peer_window_bytes = 0;
    std::uint64_t max_rtt_us = 0, min_rtt_us = 0, mean_rtt_us = 0;
    std::uint64_t reordering = 0;  // at the end
};

// *Transfer*: one stream in one interval, as measured here.
struct Transfer {
    int socket = 0;
    bool sender = false;                        // we send on this stream
    std::chrono::nanoseconds start{0}, end{0};  // since the start of the test or the end of omit
    PayloadBytes bytes;
    std::int64_t packets = 0;  // sent, or by the peer's sequence numbers should have arrived
    std::int64_t lost = 0;     // receiver
    double jitter_s = 0;       // receiver
    std::optional<TcpState> tcp = std::nullopt;  // TCP sender
};

// All streams in one interval, in the order of their creation.
struct IntervalReport {
    bool omitted = false;
    std::vector<Transfer> streams;
};

// One side's account of a stream over the whole test, without the omitted part.
struct SideTotal {
    PayloadBytes bytes;
    std::chrono::nanoseconds time{0};
    std::int64_t packets = 0;  // sender: sent; receiver: highest sequence number
};

// The file of -F, which a stream has sent or written.
struct DiskFile {
    std::string name;
    std::uint64_t bytes = 0;  // how long it is
};

// A stream at the end. A side that has not reported is empty: a server never learns the other
// half before it prints, nor does a client whose server has died.
struct StreamTotal {
    int socket = 0;
    bool sender = false;  // we are the sending side
    std::optional<SideTotal> sent, received;
    // By the receiver, iperf3's rules.
    std::int64_t lost = 0;
    std::int64_t out_of_order = 0;  // known only if we are the receiver
    double jitter_s = 0;
    // By us as the receiver; not in iperf3.
    std::optional<std::uint64_t> arrived, duplicates;
    // Arrived after we had stopped counting and before the other side had stopped sending: in no
    // other figure of ours, but in `sent`.
    std::uint64_t late = 0;
    // By us as the sender; not in iperf3.
    std::optional<std::uint64_t> ring_full, offered;
    std::optional<DiskFile> file = std::nullopt;
    // By us, both ways; not in iperf3.
    FrameCount sent_frames, received_frames;
    std::optional<TcpTotal> tcp = std::nullopt;  // TCP, if the sender counts retransmissions
    // TCP, of our end of the connection; not in iperf3.
    std::uint64_t reordering = 0;  // segments, as tcpi_reordering of Linux
    TcpHealth health;
};

// Percent of one CPU, since the start of the test.
struct CpuUse {
    double total = 0, user = 0, system = 0;
};

// The port the test ran on, and what went wrong on it.
struct PortTotal {
    std::string interface, driver;
    std::uint64_t bad_checksum = 0, bad_length = 0, unexpected = 0, pool_empty = 0;
    std::uint64_t handed_over = 0;      // between pollers
    std::uint64_t not_handed_over = 0;  // lost on that way
    Impaired impaired{};                // by --impair
    std::optional<BitRate> link_speed = std::nullopt;
    std::vector<PollerLoad> pollers{};
};

// *Transfer* and *sum* at the end of the test. Rendering adds up the sums.
struct Summary {
    std::vector<StreamTotal> streams;
    CpuUse local;
    std::optional<CpuUse> remote;
    // TCP: names of the algorithms of both sides; empty if not known.
    std::string congestion, peer_congestion;
    PortTotal port;
    std::vector<Verdict> verdicts;  // on --require; the reporter adds them
};

// *Server relay*: what the other side printed, if it was asked for.
struct ServerOutput {
    std::string text;  // human output, or JSON text
    bool json = false;
};

// Of more than that, a server's intervals are left out.
inline constexpr std::size_t kMaxServerOutputBytes = std::size_t{32} << 20;

// For --debug: what has passed on the control connection.
struct Trace {
    std::string what;
    std::string document;  // JSON, empty of a message
};

// Where reports go. Implementations copy what they need and return at once: they may be called
// from the event loop. Calls come from one thread, in this order for each test:
// listening? (accepted | connecting) started? connected* interval* server_output? summary? failed?
// finished.
class ReportSink {
public:
    ReportSink() = default;
    ReportSink(const ReportSink&) = delete;
    ReportSink& operator=(const ReportSink&) = delete;
    virtual ~ReportSink() = default;

    // Server: ready for test number `test` (from 1) on `port`.
    virtual void listening(std::uint16_t port, std::uint64_t test) = 0;
    // Server: a client has been accepted.
    virtual void accepted(const Endpoint& peer) = 0;
    // Client: about to connect.
    virtual void connecting(const std::string& host, std::uint16_t port, bool reverse) = 0;
    // The parameters are agreed.
    virtual void started(const TestSettings& settings) = 0;
    // The streams are open; all of them at once, in order.
    virtual void connected(const std::vector<Connection>& connections) = 0;
    virtual void interval(const IntervalReport& report) = 0;
    // Client: what the server has printed of this test.
    virtual void server_output(const ServerOutput& output) = 0;
    virtual void summary(const Summary& summary) = 0;
    // A failure or an interruption, in iperf3's words, without its "iperf3: " and "error - ".
    virtual void failed(const std::string& message) = 0;
    // A remark that does not end the test ("warning: …" is added by the renderer).
    virtual void warned(const std::string& message) = 0;
    // Server, of a test that is relayed: `give` is called once, on any thread, with what has been
    // printed of it so far.
    virtual void relay(std::function<void(ServerOutput)> give) = 0;
    // May come at any time.
    virtual void traced(const Trace& trace) = 0;
    // The test is over; `success` prints a client's "iperf Done.", the last of JSON comes out.
    virtual void finished(bool success) = 0;
};

// Where a server gets a sink for each of its tests, of which several may run at the same time.
class TestSinks {
public:
    TestSinks() = default;
    TestSinks(const TestSinks&) = delete;
    TestSinks& operator=(const TestSinks&) = delete;
    virtual ~TestSinks() = default;

    // For the reports of test number `test`, from accepted() on.
    [[nodiscard]] virtual std::unique_ptr<ReportSink> sink_of(std::uint64_t test) = 0;
};

}  // namespace dpdkperf::stats
