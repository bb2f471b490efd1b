#pragma once

#include "fault.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace dpdkperf::tcp {

using Microseconds = std::chrono::microseconds;

// Smoothed round-trip time and retransmission timeout (RFC 6298).
//
// Deviation: the lower bound is Linux's 200 ms, not 1 s, and like Linux's it is put under the
// variance, not under the sum (tcp_rtt_estimator(), Linux 6.1): RTO = SRTT + max(200 ms, 4 RTTVAR).
class RttEstimator {
public:
    static constexpr Microseconds kInitialRto = std::chrono::seconds{1};
    static constexpr Microseconds kMinVariance = std::chrono::milliseconds{200};
    static constexpr Microseconds kMaxRto = std::chrono::seconds{60};

    void on_sample(Microseconds rtt, Microseconds now) noexcept
    {
        rtt = std::max(rtt, Microseconds{1});
        if (!has_sample_) {  // (2.2)
            has_sample_ = true;
            srtt_ = rtt;
            rttvar_ = rtt / 2;
        } else {  // (2.3): beta = 1/4, alpha = 1/8
            const Microseconds error = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
            rttvar_ = (3 * rttvar_ + error) / 4;
            srtt_ = (7 * srtt_ + rtt) / 8;
        }
        rto_ = std::min(srtt_ + std::max(kMinVariance, 4 * rttvar_), kMaxRto);
        backoff_ = 0;
        note_minimum(rtt, now);
    }

    void back_off() noexcept  // (5.5)
    {
        backoff_ += faulty(Fault::kNoBackoff) ? 0 : 1;
    }
    void reset_backoff() noexcept { backoff_ = 0; }

    [[nodiscard]] bool has_sample() const { return has_sample_; }
    [[nodiscard]] Microseconds srtt() const { return srtt_; }
    [[nodiscard]] Microseconds rttvar() const { return rttvar_; }
    [[nodiscard]] Microseconds rto() const
    {
        return std::min<Microseconds>(rto_ * (1LL << shift()), kMaxRto);
    }
    // Lowest sample of the last 5 to 10 minutes; 0 before the first.
    [[nodiscard]] Microseconds minimum() const { return std::min(minimum_, older_minimum_); }

private:
    // Linux keeps its minimum for as long (tcp_min_rtt_wlen, 300 s).
    static constexpr Microseconds kMinimumWindow = std::chrono::seconds{300};

    [[nodiscard]] int shift() const { return std::min(backoff_, 16); }

    void note_minimum(Microseconds rtt, Microseconds now) noexcept
    {
        if (minimum_.count() == 0) {
            minimum_ = older_minimum_ = rtt;
            window_start_ = now;
        } else if (now - window_start_ > kMinimumWindow) {
            older_minimum_ = minimum_;
            minimum_ = rtt;
            window_start_ = now;
        }
        minimum_ = std::min(minimum_, rtt);
    }

    bool has_sample_ = false;
    int backoff_ = 0;
    Microseconds srtt_{0}, rttvar_{0};
    Microseconds rto_ = kInitialRto;
    Microseconds minimum_{0}, older_minimum_{0}, window_start_{0};
};

}  // namespace dpdkperf::tcp
