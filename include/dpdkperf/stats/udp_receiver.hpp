#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace dpdkperf::stats {

// Loss, reordering and jitter of a UDP stream by iperf3's rules (iperf 3.12, src/iperf_udp.c,
// iperf_udp_recv), and beside them what iperf3 does not count: arrivals and duplicates.
//
// In iperf3 a duplicate counts as out of order and takes one loss back, and packets lost at the
// end are invisible: `highest` is the last sequence number seen, not a number of arrivals. Those
// figures are kept as they are, because the peer computes the same. The truth is
// (packets sent) - (arrived() - duplicates()).
class UdpReceiver {
public:
    // A datagram with this sequence number. Both times in seconds, of clocks that need not agree;
    // only the difference to the datagram before counts.
    void on_datagram(std::uint64_t sequence, double sent_s, double arrived_s) noexcept
    {
        ++arrived_;
        if (sequence - highest_ - 1 < kMostPackets - highest_) [[likely]] {
            lost_ += static_cast<std::int64_t>(sequence - highest_ - 1);
            advance(sequence);
        } else {
            ++out_of_order_;
            if (sequence <= highest_) {
                lost_ -= lost_ > 0;
                note_late(sequence);
            }
        }
        const double transit = std::abs(arrived_s - sent_s);
        if (first_) {  // since 3.8
            first_ = false;
            transit_s_ = transit;
        }
        jitter_s_ += (std::abs(transit - transit_s_) - jitter_s_) / 16.0;  // RFC 1889, A.8
        transit_s_ = transit;
    }

    // The omitted part is over: jitter begins anew, all else goes on.
    void restart_jitter() noexcept
    {
        jitter_s_ = 0;
        first_ = true;
    }

    [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }
    [[nodiscard]] std::int64_t lost() const noexcept { return lost_; }
    [[nodiscard]] std::int64_t out_of_order() const noexcept { return out_of_order_; }
    [[nodiscard]] double jitter_s() const noexcept { return jitter_s_; }
    [[nodiscard]] std::uint64_t arrived() const noexcept { return arrived_; }
    // Copies that came within kWindow sequence numbers of the highest; older ones are not noticed.
    [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

    static constexpr std::uint64_t kWindow = 4096;

    // Two years at 148.8 million packets in a second, and the last number that JSON carries
    // exactly. Whatever is larger was not counted by a sender.
    static constexpr std::uint64_t kMostPackets = 1ULL << 53;

private:
    void advance(std::uint64_t sequence) noexcept
    {
        if (sequence - highest_ >= kWindow) {
            seen_.fill(0);
        } else {
            for (std::uint64_t q = highest_ + 1; q < sequence; ++q) {
                word(q) &= ~bit(q);
            }
        }
        word(sequence) |= bit(sequence);
        highest_ = sequence;
    }

    void note_late(std::uint64_t sequence) noexcept
    {
        if (highest_ - sequence < kWindow) {
            duplicates_ += (word(sequence) & bit(sequence)) != 0;
            word(sequence) |= bit(sequence);
        }
    }

    std::uint64_t& word(std::uint64_t q) noexcept { return seen_[q % kWindow / 64]; }
    static constexpr std::uint64_t bit(std::uint64_t q) noexcept { return 1ULL << (q % 64); }

    std::uint64_t highest_ = 0;
    std::int64_t lost_ = 0;
    std::int64_t out_of_order_ = 0;
    std::uint64_t arrived_ = 0;
    std::uint64_t duplicates_ = 0;
    double jitter_s_ = 0;
    double transit_s_ = 0;
    bool first_ = true;
    std::array<std::uint64_t, kWindow / 64> seen_{};  // bit per sequence number in the window
};

}  // namespace dpdkperf::stats
