#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace dpdkperf::stats {

// What the user requires of a test (--require). Figures are those of all streams of a direction.
enum class Measure {
    kSent,         // payload in bit/s, by the sender's account
    kReceived,     // payload in bit/s, by the receiver's account
    kPacketRate,   // UDP: datagrams per second that arrived, without copies
    kLoss,         // UDP: percent of the datagrams sent that did not arrive, those at the end too
    kRetransmits,  // TCP: segments
    kJitter,       // UDP: ms, the mean of the streams
};

struct MeasureName {
    Measure measure;
    std::string_view name;
    bool udp, tcp;  // of which tests it is known
};
inline constexpr std::array kMeasureNames{
    MeasureName{Measure::kSent, "tx", true, true},
    MeasureName{Measure::kReceived, "rx", true, true},
    MeasureName{Measure::kPacketRate, "pps", true, false},
    MeasureName{Measure::kLoss, "loss", true, false},
    MeasureName{Measure::kRetransmits, "retr", false, true},
    MeasureName{Measure::kJitter, "jitter", true, false},
};

constexpr const MeasureName& name_of(Measure measure)
{
    return kMeasureNames[static_cast<std::size_t>(measure)];
}

enum class Comparison { kAtLeast, kAtMost, kMore, kLess };

// A sign that begins another stands behind it.
inline constexpr std::array<std::string_view, 4> kSigns{">=", "<=", ">", "<"};

constexpr std::string_view sign_of(Comparison comparison)
{
    return kSigns[static_cast<std::size_t>(comparison)];
}

constexpr bool holds(double got, Comparison comparison, double wanted)
{
    switch (comparison) {
    case Comparison::kAtLeast:
        return got >= wanted;
    case Comparison::kAtMost:
        return got <= wanted;
    case Comparison::kMore:
        return got > wanted;
    case Comparison::kLess:
        return got < wanted;
    }
    return false;
}

struct Requirement {
    Measure measure = Measure::kReceived;
    Comparison comparison = Comparison::kAtLeast;
    double wanted = 0;  // in the measure's unit

    friend bool operator==(const Requirement&, const Requirement&) = default;
};

// A requirement and what one direction of a test has made of it.
struct Verdict {
    Requirement requirement;
    bool sender = false;        // of the direction in which we send
    std::optional<double> got;  // empty: not known
    std::string unknown;        // then: why
    bool met = false;           // what is not known does not meet anything
};

}  // namespace dpdkperf::stats
