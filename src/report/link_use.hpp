#pragma once

#include "dpdkperf/stats/reports.hpp"

#include <chrono>
#include <cstdint>

// What a test was for the link and for its pollers. Pure.
namespace dpdkperf::report {

struct PacketRates {
    double packets_per_second = 0;
    double frame_bits_per_second = 0;  // Ethernet header to payload
    double wire_bits_per_second = 0;   // and padding, preamble, checksum and gap
};
// Requires a time above 0.
PacketRates rates_of(const stats::FrameCount& count, std::chrono::nanoseconds time);

// For how long our side of a stream was counted; 0: it was not.
std::chrono::nanoseconds own_time(const stats::StreamTotal& stream);

// All streams together, over the time of the first one, as iperf3 takes it.
struct LinkUse {
    stats::FrameCount sent, received;
    std::chrono::nanoseconds time{0};
};
LinkUse link_use(const stats::Summary& summary);

double share_percent(double bits_per_second, std::uint64_t link_bits_per_second);

// Of the poller's time. Requires that there was some.
double busy_percent(const stats::PollerLoad& load);

}  // namespace dpdkperf::report
