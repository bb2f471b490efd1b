#pragma once

#include "rtt_estimator.hpp"
#include "scoreboard.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace dpdkperf::tcp {

// Time-based loss detection (RFC 8985): a slot is lost if one that was sent later has been
// delivered, and a round trip plus the reordering window has passed since it was sent.
//
// First transmissions are in the order of slots and of time, so a cursor finds those that have
// become old. Retransmissions are in the order of time in a FIFO. Either is looked at once:
// detection costs O(1) per slot over the life of the slot, however ACKs arrive.
class Rack {
public:
    // Runs of retransmissions in flight that can be remembered; more have to wait.
    static constexpr std::uint32_t kMaxRuns = 4096;

    Rack();
    void reset() noexcept;

    // The latest sent of the slots that an ACK delivered (step 2).
    void on_delivered(const Sent& sent, std::uint32_t now_us) noexcept;
    // Slots were sent again. There must be room.
    void on_retransmission(std::uint64_t slot, std::uint32_t count, std::uint32_t now_us) noexcept;
    [[nodiscard]] bool has_room(const Scoreboard& board) noexcept;
    // Slots from `slot` on have to be looked at again.
    void rewind(std::uint64_t slot) noexcept { cursor_ = std::min(cursor_, slot); }
    // All retransmissions are forgotten, all slots are accounted for (timeout).
    void on_timeout(const Scoreboard& board) noexcept;

    struct Detected {
        std::uint32_t slots = 0;                      // newly lost
        std::uint32_t retransmissions = 0;            // of these, lost for another time
        std::optional<std::uint32_t> check_after_us;  // when one more may be found (step 5)
    };
    Detected detect(Scoreboard& board, std::uint32_t now_us, std::uint32_t window_us) noexcept;

private:
    struct Run {
        std::uint64_t slot;
        std::uint32_t count;
        std::uint32_t at_us;
    };

    [[nodiscard]] bool sent_before_delivered(std::uint64_t slot, std::uint32_t at_us) const;
    // Time left until a slot sent at `at_us` counts as lost; 0 or less: it does.
    [[nodiscard]] std::int32_t remaining(
        std::uint32_t at_us, std::uint32_t now_us, std::uint32_t window_us) const
    {
        return static_cast<std::int32_t>(at_us + rtt_us_ + window_us - now_us);
    }
    void detect_first_transmissions(
        Scoreboard& board, std::uint32_t now_us, std::uint32_t window_us, Detected& d) noexcept;
    void detect_retransmissions(
        Scoreboard& board, std::uint32_t now_us, std::uint32_t window_us, Detected& d) noexcept;
    [[nodiscard]] static bool in_flight(
        const Scoreboard& board, const Run& run, std::uint64_t slot);
    [[nodiscard]] Run& front() noexcept { return runs_[head_ % kMaxRuns]; }

    std::unique_ptr<std::array<Run, kMaxRuns>> storage_;
    std::array<Run, kMaxRuns>& runs_;
    std::uint32_t head_ = 0, tail_ = 0;
    std::uint64_t cursor_ = 0;
    bool any_delivered_ = false;
    Sent latest_;               // RACK.xmit_ts and RACK.end_seq
    std::uint32_t rtt_us_ = 0;  // RACK.rtt
};

// The reordering window: how long a slot may be overtaken before it counts as lost (RFC 8985,
// step 4, and 7.2 for what D-SACK teaches).
class ReorderingWindow {
public:
    void note_reordering(std::uint32_t distance_slots) noexcept
    {
        seen_ = true;
        distance_ = std::max(distance_, distance_slots);
    }

    // Step 4, "TCP_RACK_UPDATE_REO_WND": widened once per round trip, until 16 recoveries later.
    void on_duplicate_sack(Offset una, Offset nxt) noexcept
    {
        if (!round_ || una >= *round_) {
            round_ = nxt;
            steps_ = std::min(steps_ + 1, kMaxSteps);
            recoveries_left_ = kPersistence;
        }
    }

    void on_recovery_end() noexcept
    {
        if (recoveries_left_ > 0 && --recoveries_left_ == 0) {
            steps_ = 1;
        }
    }

    [[nodiscard]] std::uint32_t window_us(
        const RttEstimator& rtt, bool in_recovery, std::uint32_t sacked_slots) const noexcept
    {
        if (!seen_ && (in_recovery || sacked_slots >= kDupThresh)) {
            return 0;
        }
        const auto window = steps_ * rtt.minimum() / 4;
        return static_cast<std::uint32_t>(std::min(window, rtt.srtt()).count());
    }

    [[nodiscard]] bool seen() const { return seen_; }
    // As Linux's tcpi_reordering: the longest way a slot was overtaken by, at least DupThresh.
    [[nodiscard]] std::uint32_t distance() const { return distance_; }

private:
    static constexpr std::uint32_t kDupThresh = 3;  // RFC 5681
    static constexpr int kPersistence = 16;         // RFC 8985, step 4
    static constexpr int kMaxSteps = 255;           // Linux 6.1, tcp_rack_update_reo_wnd()

    bool seen_ = false;
    std::uint32_t distance_ = kDupThresh;
    int steps_ = 1;
    int recoveries_left_ = 0;
    std::optional<Offset> round_;
};

}  // namespace dpdkperf::tcp
