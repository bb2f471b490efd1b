#pragma once

#include "dpdkperf/impair/random.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace dpdkperf::impair {

// What a bad link does to the packets of one direction. Probabilities are from 0 to 1.
struct Settings {
    double loss = 0;
    double burst_enter = 0, burst_leave = 1;  // Gilbert and Elliott: all is lost in between
    std::chrono::nanoseconds delay{0};
    double reorder = 0;  // packets that take `reorder_delay` longer
    std::chrono::nanoseconds reorder_delay{0};
    double duplicate = 0;  // packets that arrive twice, within kCopySpread
    double corrupt = 0;    // packets of which a bit is turned over
};

inline constexpr std::chrono::nanoseconds kCopySpread = std::chrono::milliseconds{2};

// Decides what becomes of packet after packet: the same for the same seed and settings, whatever
// the packets are and whenever they come. Pure.
class Impairment {
public:
    explicit Impairment(std::uint64_t seed) : random_{seed} {}

    // First: whether the next packet is lost.
    bool loses(const Settings& settings) noexcept
    {
        in_burst_ = in_burst_ ? !random_.chance(settings.burst_leave)
                              : random_.chance(settings.burst_enter);
        return in_burst_ || random_.chance(settings.loss);
    }

    // How a packet that is not lost arrives.
    struct Fate {
        std::chrono::nanoseconds delay{0};
        bool reordered = false;
        std::optional<std::uint64_t> corrupt_bit;            // below the `bits` asked about
        std::optional<std::chrono::nanoseconds> copy_delay;  // of a second one
    };
    Fate fate(const Settings& settings, std::uint64_t bits) noexcept
    {
        Fate fate;
        fate.delay = settings.delay;
        if (random_.chance(settings.corrupt)) {
            fate.corrupt_bit = random_.below(bits);
        }
        if (random_.chance(settings.reorder)) {
            fate.reordered = true;
            fate.delay += settings.reorder_delay;
        }
        if (random_.chance(settings.duplicate)) {
            const auto later = random_.below(static_cast<std::uint64_t>(kCopySpread.count()));
            fate.copy_delay =
                fate.delay + std::chrono::nanoseconds{static_cast<std::int64_t>(later)};
        }
        return fate;
    }

private:
    Random random_;
    bool in_burst_ = false;
};

}  // namespace dpdkperf::impair
