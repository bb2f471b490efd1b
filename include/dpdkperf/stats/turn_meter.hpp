#pragma once

#include <chrono>
#include <cstdint>

namespace dpdkperf::stats {

// What a poller has done while a test ran. A turn was busy if it took packets from the port or the
// port took some from it: a turn that only waits, for a packet, for its time or for room in a full
// ring, was not.
struct PollerLoad {
    int cpu = 0;
    std::uint64_t turns = 0, busy_turns = 0;
    std::chrono::nanoseconds time{0}, busy_time{0};
};

// Divides a poller's time into busy and idle turns by the one clock reading that each turn has: a
// turn lasts until the next one begins. One thread.
class TurnMeter {
public:
    // Counters that only grow; the difference of two readings is what happened between them.
    struct Reading {
        std::uint64_t turns = 0, busy_turns = 0;
        std::uint64_t ticks = 0, busy_ticks = 0;

        friend constexpr Reading operator-(const Reading& a, const Reading& b)
        {
            return {a.turns - b.turns, a.busy_turns - b.busy_turns, a.ticks - b.ticks,
                a.busy_ticks - b.busy_ticks};
        }
        friend constexpr bool operator==(const Reading&, const Reading&) = default;
    };

    // A turn begins, so the last one is over.
    void begin(std::uint64_t now) noexcept
    {
        const std::uint64_t lasted = now - began_;
        ++sum_.turns;
        sum_.ticks += lasted;
        sum_.busy_turns += busy_ ? 1 : 0;
        sum_.busy_ticks += busy_ ? lasted : 0;
        began_ = now;
        busy_ = false;
    }
    void note(bool busy) noexcept { busy_ |= busy; }
    // After a sleep, which belongs to no turn.
    void restart(std::uint64_t now) noexcept
    {
        began_ = now;
        busy_ = false;
    }

    [[nodiscard]] const Reading& reading() const noexcept { return sum_; }

private:
    Reading sum_;
    std::uint64_t began_ = 0;
    bool busy_ = false;
};

}  // namespace dpdkperf::stats
