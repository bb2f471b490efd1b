#include "congestion.hpp"

#include <algorithm>
#include <cmath>

namespace dpdkperf::tcp {

namespace {

// RFC 9406, 4.2: conservative slow start grows by a quarter.
constexpr double kConservativeDivisor = 4;

double seconds_of(nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

}  // namespace

void Cubic::start_epoch(const CongestionWindow& window, Moment now) noexcept
{
    epoch_ = now;
    w_est_ = window.cwnd;
    // After slow start without a loss, or if the window has outgrown w_max: the curve starts at its
    // plateau (RFC 9438, 4.8 and 4.10).
    w_max_ = std::max(w_max_, window.cwnd);
    k_s_ = std::cbrt((w_max_ - window.cwnd) / kC);  // (2)
}

void Cubic::on_ack(CongestionWindow& window, const AckEvent& ack) noexcept
{
    double slots = ack.delivered_slots;
    if (window.slow_start()) {
        hystart_.on_ack(ack.una, ack.nxt, ack.rtt);
        if (hystart_.phase() == Hystart::Phase::kDone &&
            window.ssthresh >= CongestionWindow::kNoThreshold) {
            window.ssthresh = window.cwnd;
        } else {
            const double grow = std::min(slots, std::ceil(window.ssthresh - window.cwnd));
            const bool careful = hystart_.phase() == Hystart::Phase::kConservative;
            window.cwnd += careful ? grow / kConservativeDivisor : grow;
            slots -= grow;
        }
    }
    if (slots <= 0 || window.slow_start()) {
        return;
    }
    if (!epoch_) {
        start_epoch(window, ack.now);
    }
    const double t = seconds_of(ack.now - *epoch_);
    const double rtt = std::chrono::duration<double>(ack.srtt).count();
    const auto curve = [&](double at) {  // (1)
        const double d = at - k_s_;
        return kC * d * d * d + w_max_;
    };
    // RFC 9438, 4.3: as fast as Reno would be; from cwnd_prior on one slot per round trip.
    const double alpha = w_est_ >= cwnd_prior_ ? 1.0 : 3 * (1 - kBeta) / (1 + kBeta);
    w_est_ += alpha * slots / window.cwnd;  // (4)
    if (curve(t) < w_est_) {
        window.cwnd = std::max(window.cwnd, w_est_);
        return;
    }
    const double target = std::clamp(curve(t + rtt), window.cwnd, 1.5 * window.cwnd);  // 4.4
    window.cwnd = std::min(window.cwnd + (target - window.cwnd) / window.cwnd * slots, target);
}

double Cubic::on_congestion(const CongestionWindow& window, Moment /*now*/) noexcept
{
    hystart_.finish();
    epoch_.reset();
    cwnd_prior_ = window.cwnd;
    // Fast convergence (4.7): a window that did not get back to w_max makes room for others.
    w_max_ = window.cwnd < w_max_ ? window.cwnd * (1 + kBeta) / 2 : window.cwnd;
    return std::max(window.cwnd * kBeta, CongestionWindow::kMinThreshold);  // 4.6
}

}  // namespace dpdkperf::tcp
