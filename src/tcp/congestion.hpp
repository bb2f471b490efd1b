#pragma once

#include "dpdkperf/base/time.hpp"
#include "hystart.hpp"
#include "offset.hpp"
#include "rtt_estimator.hpp"

#include <cstdint>
#include <optional>
#include <variant>

namespace dpdkperf::tcp {

// What an algorithm learns from an ACK that came outside recovery.
struct AckEvent {
    Moment now;
    std::uint32_t delivered_slots = 0;
    std::optional<Microseconds> rtt;  // of a slot sent once
    Microseconds srtt{0};
    Offset una = 0, nxt = 0;
};

// Congestion window and slow start threshold in slots. The window is kept with its fraction.
struct CongestionWindow {
    double cwnd = 10;  // RFC 6928
    double ssthresh = kNoThreshold;

    static constexpr double kNoThreshold = 2'000'000'000;
    static constexpr double kMinThreshold = 2;  // RFC 5681, (4)
    [[nodiscard]] bool slow_start() const { return cwnd < ssthresh; }
};

// An algorithm grows the window in on_ack() (never lowers it there) and answers a loss with a new
// ssthresh in on_congestion(). Recovery, PRR and undo are the sender's. BBR would join here, with
// a pacing rate of its own.
//
// RFC 5681 with appropriate byte counting by slots (RFC 3465, L without limit; HyStart++ and
// pacing bound the burst).
class Reno {
public:
    void on_ack(CongestionWindow& window, const AckEvent& ack) noexcept;
    [[nodiscard]] double on_congestion(const CongestionWindow& window, Moment now) noexcept;
};

// RFC 9438.
class Cubic {
public:
    void on_ack(CongestionWindow& window, const AckEvent& ack) noexcept;
    [[nodiscard]] double on_congestion(const CongestionWindow& window, Moment now) noexcept;

    static constexpr double kBeta = 0.7;
    static constexpr double kC = 0.4;

private:
    void start_epoch(const CongestionWindow& window, Moment now) noexcept;

    Hystart hystart_;
    std::optional<Moment> epoch_;
    double w_max_ = 0;
    double k_s_ = 0;         // seconds until the curve is at w_max again
    double cwnd_prior_ = 0;  // cwnd before the last reduction
    double w_est_ = 0;       // what Reno would have by now
};

// A constant window for experiments: no congestion control at all.
class FixedWindow {
public:
    explicit FixedWindow(std::uint32_t slots) : slots_{slots} {}
    [[nodiscard]] std::uint32_t slots() const { return slots_; }
    void on_ack(CongestionWindow& window, const AckEvent& ack) noexcept;
    [[nodiscard]] double on_congestion(const CongestionWindow& window, Moment now) noexcept;

private:
    std::uint32_t slots_;
};

// One of the algorithms and its window; copied to be able to take a mistake back.
class Congestion {
public:
    using Algorithm = std::variant<Cubic, Reno, FixedWindow>;

    Congestion(Algorithm algorithm, double initial_slots) : algorithm_{algorithm}
    {
        const auto* fixed = std::get_if<FixedWindow>(&algorithm);
        window_.cwnd = fixed != nullptr ? fixed->slots() : initial_slots;
    }

    // `limited`: the sender would have sent more, had cwnd allowed it. Without that the window
    // does not grow (RFC 7661; Linux does the same).
    void on_ack(const AckEvent& ack, bool limited) noexcept;
    // A loss or an ECN echo, once per round trip: sets ssthresh, and cwnd to it.
    void on_congestion(Moment now) noexcept;
    // A retransmission timeout; `again`: of data that has timed out before (RFC 5681, 3.1: then
    // ssthresh stays).
    void on_timeout(Moment now, bool again) noexcept;
    // Slots have a new size: the window keeps its bytes.
    void rescale(double factor) noexcept;
    // After more than one lost SYN (Linux 6.1, tcp_init_transfer()).
    void start_with_one_slot() noexcept { window_.cwnd = 1; }

    [[nodiscard]] std::uint32_t cwnd() const { return static_cast<std::uint32_t>(window_.cwnd); }
    [[nodiscard]] std::uint32_t ssthresh() const
    {
        return static_cast<std::uint32_t>(window_.ssthresh);
    }
    [[nodiscard]] bool slow_start() const { return window_.slow_start(); }
    // Never below what `other` had: a recovery that is taken back must not cost anything.
    void restore(const Congestion& other) noexcept;

private:
    // std::visit() may throw, in theory.
    template <class F>
    auto with_algorithm(F f) noexcept
    {
        if (auto* cubic = std::get_if<Cubic>(&algorithm_)) {
            return f(*cubic);
        }
        if (auto* reno = std::get_if<Reno>(&algorithm_)) {
            return f(*reno);
        }
        return f(*std::get_if<FixedWindow>(&algorithm_));
    }

    Algorithm algorithm_;
    CongestionWindow window_;
};

}  // namespace dpdkperf::tcp
