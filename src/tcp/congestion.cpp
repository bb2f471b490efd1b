#include "congestion.hpp"

#include <algorithm>
#include <cmath>

namespace dpdkperf::tcp {

void Congestion::on_ack(const AckEvent& ack, bool limited) noexcept
{
    if (limited && ack.delivered_slots > 0) {
        with_algorithm([&](auto& a) { a.on_ack(window_, ack); });
    }
}

void Congestion::on_congestion(Moment now) noexcept
{
    window_.ssthresh = with_algorithm([&](auto& a) { return a.on_congestion(window_, now); });
    window_.cwnd = std::min(window_.cwnd, window_.ssthresh);
}

void Congestion::on_timeout(Moment now, bool again) noexcept
{
    if (!again) {
        on_congestion(now);
    }
    if (!std::holds_alternative<FixedWindow>(algorithm_)) {
        window_.cwnd = 1;
    }
}

void Congestion::rescale(double factor) noexcept
{
    window_.cwnd = std::max(window_.cwnd * factor, 1.0);
    if (window_.ssthresh < CongestionWindow::kNoThreshold) {
        window_.ssthresh = std::max(window_.ssthresh * factor, CongestionWindow::kMinThreshold);
    }
}

void Congestion::restore(const Congestion& other) noexcept
{
    const double cwnd = std::max(window_.cwnd, other.window_.cwnd);
    *this = other;
    window_.cwnd = cwnd;
}

void Reno::on_ack(CongestionWindow& window, const AckEvent& ack) noexcept
{
    double slots = ack.delivered_slots;
    if (window.slow_start()) {
        const double grow = std::min(slots, std::ceil(window.ssthresh - window.cwnd));
        window.cwnd += grow;
        slots -= grow;
    }
    window.cwnd += slots / window.cwnd;
}

double Reno::on_congestion(const CongestionWindow& window, Moment /*now*/) noexcept
{
    return std::max(window.cwnd / 2, CongestionWindow::kMinThreshold);
}

void FixedWindow::on_ack(CongestionWindow& window, const AckEvent& /*ack*/) noexcept
{
    window.cwnd = slots_;
}

double FixedWindow::on_congestion(const CongestionWindow& /*window*/, Moment /*now*/) noexcept
{
    return slots_;
}

}  // namespace dpdkperf::tcp
