#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>

namespace dpdkperf {

// A byte count that knows at which layer it was taken.
template <class Layer>
struct Count {
    std::uint64_t value = 0;

    friend constexpr auto operator<=>(Count, Count) = default;
    friend constexpr Count operator+(Count a, Count b) { return {a.value + b.value}; }
    friend constexpr Count operator-(Count a, Count b) { return {a.value - b.value}; }
    constexpr Count& operator+=(Count b)
    {
        value += b.value;
        return *this;
    }
};
using PayloadBytes = Count<struct PayloadLayer>;  // what iperf3 reports
using FrameBytes = Count<struct FrameLayer>;      // Ethernet header to payload, no FCS
using WireBytes = Count<struct WireLayer>;        // plus padding, preamble, FCS and gap

// IEEE 802.3: padding to 60 bytes, then 8 preamble + 4 FCS + 12 inter-packet gap.
constexpr WireBytes wire_bytes(FrameBytes frame)
{
    return {std::max<std::uint64_t>(frame.value, 60) + 8 + 4 + 12};
}

// Bits per second, decimal; 0 stands for "no limit" where a limit is asked for.
class BitRate {
public:
    constexpr BitRate() = default;
    static constexpr BitRate from_bps(std::uint64_t bps) { return BitRate{bps}; }
    static constexpr BitRate from_gbps(std::uint64_t gbps) { return BitRate{gbps * 1'000'000'000}; }

    [[nodiscard]] constexpr std::uint64_t bps() const { return bps_; }
    friend constexpr auto operator<=>(BitRate, BitRate) = default;

private:
    explicit constexpr BitRate(std::uint64_t bps) : bps_{bps} {}
    std::uint64_t bps_ = 0;
};

// iperf3's default for UDP: 1 Mbit/s in powers of two (iperf 3.12, src/iperf.h, UDP_RATE).
inline constexpr BitRate kIperf3DefaultUdpRate = BitRate::from_bps(1'048'576);

// The units of a rate that -f offers, by iperf3's letters: lower case counts bits in powers of
// 1000, upper case bytes in powers of 1024.
enum class RateUnit : char {
    kAdaptiveBits = 'a',
    kKbits = 'k',
    kMbits = 'm',
    kGbits = 'g',
    kTbits = 't',
    kAdaptiveBytes = 'A',
    kKbytes = 'K',
    kMbytes = 'M',
    kGbytes = 'G',
    kTbytes = 'T',
};

// Ethernet, IPv4 or IPv6 without options, UDP.
constexpr FrameBytes udp_frame(PayloadBytes payload, bool ipv4)
{
    return {14 + (ipv4 ? 20U : 40U) + 8 + payload.value};
}

template <class Layer>
constexpr double bits(Count<Layer> bytes)
{
    return static_cast<double>(bytes.value) * 8.0;
}

constexpr double seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

// Payload bits per second; 0 for an empty interval.
constexpr double bits_per_second(PayloadBytes bytes, std::chrono::nanoseconds time)
{
    return time.count() > 0 ? bits(bytes) / seconds(time) : 0.0;
}

// Packets of `packet` that a link of `link` carries per second.
constexpr std::uint64_t packets_per_second(BitRate link, WireBytes packet)
{
    return link.bps() / (packet.value * 8);
}
static_assert(packets_per_second(BitRate::from_gbps(100), wire_bytes({60})) == 148'809'523);

}  // namespace dpdkperf
