#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/tcp/info.hpp"
#include "fault.hpp"
#include "offset.hpp"
#include "received_ranges.hpp"
#include "rtt_estimator.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace dpdkperf::tcp {

struct ReceiverSetup {
    std::uint64_t window_bytes = 65535;  // what is advertised, a multiple of 1 << shift
    std::uint8_t shift = 0;
    bool sack = false;
    Offset room_end = 0;  // see on_room(); far away where no payload is kept
};

// The receiving half: what has arrived, the peer's FIN, when to acknowledge, and how much more may
// come. Payload is somebody else's: where none is kept, the window never closes.
class Receiver {
public:
    explicit Receiver(Info& info) : info_{info} {}

    void open(const ReceiverSetup& setup) noexcept;

    // [bytes.left, bytes.right) of the stream, within the window; `packets` that LRO merged.
    void on_data(const Range& bytes, std::uint32_t packets, bool push, Moment now) noexcept;
    // As on_data() for the next `bytes` of the stream, when takes_in_order().
    void on_next_data(std::uint64_t bytes, std::uint32_t packets, bool push, Moment now) noexcept;
    [[nodiscard]] bool takes_in_order(std::uint64_t bytes) const
    {
        const bool hole = !ranges_.ranges().empty() && !faulty(Fault::kHolePredictedAway);
        return static_cast<Offset>(bytes) <= window_end() - ranges_.next() && !hole && !fin_at_;
    }
    // The stream ends at `at`. Counts when everything before it has arrived.
    void on_fin(Offset at) noexcept;
    // A segment that was not taken but has to be answered: now, whatever else is due.
    void acknowledge_now() noexcept;
    void acknowledge_duplicate(const Range& bytes) noexcept;  // with a D-SACK (RFC 2883)

    // There is room for payload up to `end`, never less than before. If the peer can't go on
    // without knowing, it is told now.
    void on_room(Offset end) noexcept;
    // The peer can't go on, and the reason is room.
    [[nodiscard]] bool awaits_room() const
    {
        return peer_is_stuck() &&
               room_end_ - ranges_.next() < static_cast<Offset>(setup_.window_bytes);
    }

    // RCV.NXT, the FIN included.
    [[nodiscard]] Offset next() const { return ranges_.next(); }
    // Position behind the window. Never goes back.
    [[nodiscard]] Offset window_end() const
    {
        return std::min(ranges_.next() + static_cast<Offset>(setup_.window_bytes), room_end_);
    }
    [[nodiscard]] std::uint16_t window_field() const
    {
        const Offset open = std::max<Offset>(window_end() - ranges_.next(), 0);  // behind a FIN
        return static_cast<std::uint16_t>(open >> setup_.shift);
    }
    [[nodiscard]] Offset highest() const { return ranges_.highest(); }
    [[nodiscard]] bool fin_reached() const { return fin_reached_; }
    [[nodiscard]] std::optional<Offset> fin_at() const { return fin_at_; }
    // Payload that has arrived in order.
    [[nodiscard]] std::uint64_t bytes() const
    {
        return static_cast<std::uint64_t>(ranges_.next() - (fin_reached_ ? 1 : 0));
    }

    [[nodiscard]] bool acknowledgment_due(Moment now) const
    {
        return acks_due_ > 0 || delayed_at_ <= now;
    }
    [[nodiscard]] std::uint32_t acknowledgments_due() const { return acks_due_; }
    [[nodiscard]] bool has_sack_news() const
    {
        return duplicate_count_ > 0 || ranges_.ranges().size() > 0;
    }
    [[nodiscard]] Moment delayed_at() const { return delayed_at_; }
    // Blocks for the SACK option of the next acknowledgment, which is about to be sent.
    std::size_t take_sack_blocks(std::span<Range> to) noexcept;
    // An acknowledgment has been sent, alone or with data.
    void on_acknowledged() noexcept;
    // RCV.NXT of the last acknowledgment.
    [[nodiscard]] Offset last_acknowledged() const { return last_acknowledged_; }

    [[nodiscard]] const char* broken_invariant() const noexcept
    {
        return ranges_.broken_invariant();
    }

private:
    static constexpr std::size_t kMaxDue = 16;

    // What it was told of is too little for a full segment.
    [[nodiscard]] bool peer_is_stuck() const
    {
        return !fin_at_ && told_end_ - ranges_.next() < static_cast<Offset>(full_segment_bytes_);
    }
    // Where the window would end for the peer, which knows it in units of 1 << shift.
    [[nodiscard]] Offset tellable_end() const
    {
        return ranges_.next() + (Offset{window_field()} << setup_.shift);
    }
    void reach_fin() noexcept;
    void note_in_order(std::uint64_t bytes, std::uint32_t packets, bool push, Moment now) noexcept;

    Info& info_;
    ReceiverSetup setup_;
    ReceivedRanges ranges_;
    std::optional<Offset> fin_at_;
    bool fin_reached_ = false;

    std::uint32_t acks_due_ = 0;
    Moment delayed_at_ = Moment::max();
    std::uint64_t unacknowledged_bytes_ = 0;
    std::uint64_t full_segment_bytes_ = 536;  // the largest packet seen
    Offset last_acknowledged_ = 0;
    Offset room_end_ = 0;
    Offset told_end_ = 0;                      // of the window, by the last acknowledgment
    std::array<Range, kMaxDue> duplicates_{};  // to be reported, oldest first
    std::size_t duplicate_count_ = 0;
};

}  // namespace dpdkperf::tcp
