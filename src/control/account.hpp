#pragma once

#include "dpdkperf/proto/results.hpp"
#include "dpdkperf/stats/edges.hpp"
#include "dpdkperf/stats/reports.hpp"
#include "dpdkperf/stats/snapshot.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace dpdkperf::control {

// A stream as reports name it.
struct StreamName {
    int socket = 0;
    bool sender = false;  // we send
};

// One interval of one stream: what lies between two snapshots. Times count from `zero`, the start
// of the test or the end of its omitted part.
stats::Transfer transfer_between(const StreamName& stream, const stats::Snapshot& from,
    const stats::Snapshot& to, std::chrono::nanoseconds zero);

// What the snapshots of a TCP connection say of all its intervals.
class TcpRecord {
public:
    void add(const stats::Snapshot& snapshot);
    [[nodiscard]] stats::TcpTotal total(std::int64_t retransmits) const;

private:
    stats::TcpTotal total_;
    std::uint64_t sum_of_rtts_us_ = 0, count_ = 0;
};

// Turns the snapshots of a test into its reports. Pure: snapshots come in, in the order of the
// edges, one per stream; numbers come out.
class Account {
public:
    Account(std::span<const StreamName> streams, bool tcp);

    // All streams have passed `edge`. A report if an interval ends there.
    std::optional<stats::IntervalReport> pass(
        const stats::Edge& edge, std::span<const stats::Snapshot> snapshots);

    // The test ended at `end`, since its start; the snapshots are final and may have been taken a
    // little later. Reports the rest of the last interval, unless it is shorter than a tenth of
    // `interval` and nothing came (iperf 3.12, src/iperf_api.c, iperf_print_intermediate), or
    // `interval` is 0.
    std::optional<stats::IntervalReport> end(std::span<const stats::Snapshot> snapshots,
        std::chrono::nanoseconds end, std::chrono::nanoseconds interval);

    // Payload sent in the omitted part, over all streams.
    [[nodiscard]] PayloadBytes omitted_sent() const;
    // The omitted part is over. (Without one: from the beginning.)
    [[nodiscard]] bool counting() const { return counting_; }
    void expect_omit() { counting_ = false; }

    // Both need end().
    [[nodiscard]] proto::Results results(const stats::CpuUse& cpu) const;
    // `peer`: what the other side has measured, null if it has not told.
    [[nodiscard]] std::vector<stats::StreamTotal> totals(const proto::Results* peer) const;

private:
    struct Stream {
        StreamName name;
        stats::Snapshot base;  // where counting began
        stats::Snapshot last;  // where the current interval began, or the end
        TcpRecord record;      // TCP, of a stream that iperf3 asks the kernel about
    };

    [[nodiscard]] stats::SideTotal own_total(const Stream& stream) const;
    stats::Transfer record(Stream& stream, const stats::Snapshot& to) const;
    [[nodiscard]] std::int64_t retransmits(const Stream& stream) const;
    [[nodiscard]] std::optional<stats::TcpTotal> tcp_total(
        const Stream& stream, const proto::StreamResult* theirs) const;

    std::vector<Stream> streams_;
    bool tcp_, bidirectional_;
    bool counting_ = true;
};

}  // namespace dpdkperf::control
