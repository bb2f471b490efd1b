#pragma once

#include <algorithm>
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
    struct Figures {
        std::uint64_t highest = 0;
        std::int64_t lost = 0;
        std::int64_t out_of_order = 0;
        std::uint64_t arrived = 0;
        std::uint64_t duplicates = 0;
        double jitter_s = 0;
        double transit_s = 0;
        bool first = true;
    };

public:
    // Datagrams that have come together. The receiver knows of them when this is destroyed: each
    // changes what the one before has changed, and a chain through registers is half as long as one
    // through memory.
    class Burst {
    public:
        explicit Burst(UdpReceiver& receiver) noexcept
            : receiver_{receiver}, figures_{receiver.figures_}
        {
        }
        Burst(const Burst&) = delete;
        Burst& operator=(const Burst&) = delete;
        ~Burst() { receiver_.figures_ = figures_; }

        // A datagram with this sequence number. Both times in seconds, of clocks that need not
        // agree; only the difference to the datagram before counts.
        [[gnu::always_inline]] void on_datagram(
            std::uint64_t sequence, double sent_s, double arrived_s) noexcept
        {
            Figures& f = figures_;
            ++f.arrived;
            if (sequence - f.highest - 1 < kMostPackets - f.highest) [[likely]] {
                f.lost += static_cast<std::int64_t>(sequence - f.highest - 1);
                receiver_.advance(f.highest, sequence);
                f.highest = sequence;
            } else {
                ++f.out_of_order;
                if (sequence <= f.highest) {
                    f.lost -= f.lost > 0;
                    f.duplicates += receiver_.note_late(f.highest, sequence) ? 1U : 0U;
                }
            }
            const double transit = std::abs(arrived_s - sent_s);
            if (f.first) {  // since 3.8
                f.first = false;
                f.transit_s = transit;
            }
            f.jitter_s += (std::abs(transit - f.transit_s) - f.jitter_s) / 16.0;  // RFC 1889, A.8
            f.transit_s = transit;
        }

        // So many datagrams, with sequence numbers from `first` on, of the same times. Figures are
        // those of on_datagram() for each.
        void on_run(
            std::uint64_t first, std::uint64_t count, double sent_s, double arrived_s) noexcept
        {
            on_datagram(first, sent_s, arrived_s);
            Figures& f = figures_;
            const std::uint64_t more = count - 1;
            if (f.highest != first || more > kMostPackets - first) [[unlikely]] {
                for (std::uint64_t i = 1; i <= more; ++i) {
                    on_datagram(first + i, sent_s, arrived_s);
                }
                return;
            }
            receiver_.note(first + 1, more);
            f.highest += more;
            f.arrived += more;
            for (std::uint64_t i = 0; i < more; ++i) {
                f.jitter_s *= 15.0 / 16.0;  // the transit times are equal; rounds as above
            }
        }

    private:
        UdpReceiver& receiver_;
        Figures figures_;
    };

    // A burst of one.
    void on_datagram(std::uint64_t sequence, double sent_s, double arrived_s) noexcept
    {
        Burst{*this}.on_datagram(sequence, sent_s, arrived_s);
    }

    // The omitted part is over: jitter begins anew, all else goes on.
    void restart_jitter() noexcept
    {
        figures_.jitter_s = 0;
        figures_.first = true;
    }

    [[nodiscard]] std::uint64_t highest() const noexcept { return figures_.highest; }
    [[nodiscard]] std::int64_t lost() const noexcept { return figures_.lost; }
    [[nodiscard]] std::int64_t out_of_order() const noexcept { return figures_.out_of_order; }
    [[nodiscard]] double jitter_s() const noexcept { return figures_.jitter_s; }
    [[nodiscard]] std::uint64_t arrived() const noexcept { return figures_.arrived; }
    // Copies that came within kWindow sequence numbers of the highest; older ones are not noticed.
    [[nodiscard]] std::uint64_t duplicates() const noexcept { return figures_.duplicates; }

    static constexpr std::uint64_t kWindow = 4096;

    // Two years at 148.8 million packets in a second, and the last number that JSON carries
    // exactly. Whatever is larger was not counted by a sender.
    static constexpr std::uint64_t kMostPackets = 1ULL << 53;

private:
    void advance(std::uint64_t highest, std::uint64_t sequence) noexcept
    {
        if (sequence - highest >= kWindow) {
            seen_.fill(0);
        } else {
            for (std::uint64_t q = highest + 1; q < sequence; ++q) {
                word(q) &= ~bit(q);
            }
        }
        word(sequence) |= bit(sequence);
    }

    // `count` numbers have come that follow the highest one.
    void note(std::uint64_t first, std::uint64_t count) noexcept
    {
        while (count > 0) {
            const std::uint64_t at = first % 64, n = std::min(count, 64 - at);
            word(first) |= ~std::uint64_t{0} >> (64 - n) << at;
            first += n;
            count -= n;
        }
    }

    // Whether it has been seen before.
    bool note_late(std::uint64_t highest, std::uint64_t sequence) noexcept
    {
        if (highest - sequence >= kWindow) {
            return false;
        }
        const bool before = (word(sequence) & bit(sequence)) != 0;
        word(sequence) |= bit(sequence);
        return before;
    }

    std::uint64_t& word(std::uint64_t q) noexcept { return seen_[q % kWindow / 64]; }
    static constexpr std::uint64_t bit(std::uint64_t q) noexcept { return 1ULL << (q % 64); }

    Figures figures_;
    std::array<std::uint64_t, kWindow / 64> seen_{};  // bit per sequence number in the window
};

}  // namespace dpdkperf::stats
