#pragma once

#include "offset.hpp"
#include "rtt_estimator.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace dpdkperf::tcp {

// HyStart++ (RFC 9406): leaves slow start when the round-trip time grows, through a phase of
// conservative slow start that takes back a false alarm.
class Hystart {
public:
    enum class Phase : std::uint8_t { kSlowStart, kConservative, kDone };

    [[nodiscard]] Phase phase() const { return phase_; }
    void finish() noexcept { phase_ = Phase::kDone; }

    // Every ACK in slow start; `una` and `nxt` of the sender, `rtt` if the ACK gave a sample.
    void on_ack(Offset una, Offset nxt, std::optional<Microseconds> rtt) noexcept
    {
        if (phase_ == Phase::kDone) {
            return;
        }
        if (una > round_end_) {
            start_round(nxt);
        }
        if (!rtt) {
            return;
        }
        current_min_ = std::min(current_min_, *rtt);
        ++samples_;
        if (samples_ < kSamples || last_min_ == kInfinite) {
            return;
        }
        if (phase_ == Phase::kSlowStart) {
            const Microseconds eta = std::clamp(last_min_ / kDivisor, kMinThreshold, kMaxThreshold);
            if (current_min_ >= last_min_ + eta) {
                phase_ = Phase::kConservative;
                baseline_ = current_min_;
                rounds_ = 0;
            }
        } else if (current_min_ < baseline_) {
            phase_ = Phase::kSlowStart;  // the delay was not that of a queue
        }
    }

private:
    // RFC 9406, 4.3.
    static constexpr std::uint32_t kSamples = 8;
    static constexpr Microseconds kMinThreshold{4'000}, kMaxThreshold{16'000};
    static constexpr int kDivisor = 8;
    static constexpr int kConservativeRounds = 5;
    static constexpr Microseconds kInfinite = Microseconds::max();

    void start_round(Offset nxt) noexcept
    {
        round_end_ = nxt;
        last_min_ = current_min_;
        current_min_ = kInfinite;
        samples_ = 0;
        if (phase_ == Phase::kConservative && ++rounds_ >= kConservativeRounds) {
            phase_ = Phase::kDone;
        }
    }

    Phase phase_ = Phase::kSlowStart;
    Offset round_end_ = -1;
    Microseconds last_min_ = kInfinite, current_min_ = kInfinite, baseline_ = kInfinite;
    std::uint32_t samples_ = 0;
    int rounds_ = 0;
};

}  // namespace dpdkperf::tcp
