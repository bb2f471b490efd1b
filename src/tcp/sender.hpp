#pragma once

#include "congestion.hpp"
#include "dpdkperf/base/time.hpp"
#include "dpdkperf/tcp/info.hpp"
#include "fault.hpp"
#include "offset.hpp"
#include "prr.hpp"
#include "rack.hpp"
#include "rtt_estimator.hpp"
#include "scoreboard.hpp"
#include "send_pacer.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace dpdkperf::tcp {

inline constexpr Moment kNever = Moment::max();
// An offer without end.
inline constexpr Offset kEndless = Offset{1} << 62;

// What the handshake has settled for the sending half.
struct SenderSetup {
    std::uint32_t segment_bytes = 536;              // payload of a full segment, options deducted
    std::uint32_t max_burst_bytes = 0;              // payload of a super-segment; 0: one segment
    std::uint64_t peer_window_bytes = 0;            // of the segment that opened the connection
    std::uint64_t max_pacing_bytes_per_second = 0;  // 0: no limit
    std::chrono::milliseconds user_timeout{0};      // 0: none
    bool sack = false;
    bool timestamps = false;
    bool ecn = false;
    bool no_delay = false;
    bool one_slot = false;  // RFC 6298, (5.7): the SYN had to be sent more than twice
};

// What an acceptable ACK says, in terms of the stream.
struct AckIn {
    Offset sequence = 0;  // of the segment that carried it
    Offset ack = 0;
    std::uint64_t window_bytes = 0;        // scaled
    std::span<const Range> sack;           // as received, most recent first
    std::optional<std::uint32_t> echo_ms;  // TSecr in milliseconds of this connection's clock
    bool ece = false;
    bool carries_data = false;  // then it is no duplicate ACK (RFC 5681, 2)
};

// What is to be transmitted: bytes [offset, offset + bytes), of which the last is the FIN if `fin`.
struct Transmission {
    Offset offset = 0;
    std::uint32_t bytes = 0;
    bool fin = false;
    bool push = false;
    bool retransmission = false;
    bool congestion_window_reduced = false;  // RFC 3168: CWR
    bool ecn_capable = false;
};

// The variables of a sender that need no memory of their own: as they are at the beginning.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): by topic
struct SenderVariables {
    enum class State : std::uint8_t { kOpen, kReduced, kRecovery, kLoss };  // kReduced: ECN (CWR)
    enum class Limit : std::uint8_t { kNone, kSender, kCwnd, kPeerWindow };

    Moment now_{};
    SenderSetup setup_;
    std::uint32_t segment_bytes_ = 536;  // payload that fits the path now
    std::uint32_t path_bytes_ = 536;     // as far as ICMP has told
    bool new_slot_size_ = false;         // slots change as soon as nothing is in flight
    // Black hole fallback: when to leave it; whether it was an outage is not known yet; while full
    // size is tried again: what was used before (0: it is not tried), and from where on.
    Moment raise_at_ = kNever;
    bool size_in_doubt_ = false;
    std::uint32_t size_before_test_ = 0;
    std::optional<Offset> size_test_from_;
    ReorderingWindow reordering_;
    RttEstimator rtt_;
    Congestion congestion_{Cubic{}, 10};
    Prr prr_;
    SendPacer pacer_;
    std::uint64_t rate_ = 0;   // bytes per second; 0: not paced
    bool rate_is_old_ = true;  // an ACK or a timer may have changed it

    // The application.
    Offset stream_end_ = 0;
    bool fin_ = false;

    // The peer's window.
    std::uint64_t window_ = 0, max_window_ = 0;
    std::uint64_t window_before_ = 0;      // the ACK that is being taken in
    Offset wl_sequence_ = 0, wl_ack_ = 0;  // SND.WL1, SND.WL2

    // Recovery.
    State state_ = State::kOpen;
    Offset recovery_point_ = -1;
    std::uint64_t highest_sacked_ = 0;     // the slot behind it
    std::uint32_t duplicate_acks_ = 0;     // without SACK: slots they stand for
    std::optional<std::uint64_t> forced_;  // a lost slot to be sent whatever the limits say
    std::uint32_t timeouts_ = 0;           // in a row
    Moment give_up_at_ = kNever;           // by the user timeout, while there are timeouts in a row
    std::optional<Offset> ecn_point_;      // no further reduction before it is acknowledged
    bool tell_reduced_ = false;            // CWR is due

    // Undo: what was before the episode, while it can be taken back.
    std::optional<Congestion> before_;
    Offset undo_una_ = 0;
    std::int64_t undo_retransmissions_ = 0;
    std::optional<std::uint32_t> first_retransmission_ms_;

    // Tail loss probe (RFC 8985, 7).
    std::optional<Offset> probe_end_;
    bool probe_is_retransmission_ = false;
    bool probe_new_data_ = false;  // one slot beyond cwnd may be sent

    // Zero window.
    std::uint32_t persists_ = 0;  // probes since the window was last open
    std::uint32_t persists_unanswered_ = 0;
    bool persist_due_ = false;
    bool persist_byte_out_ = false;  // all that is in flight is a probe's byte

    bool given_up_ = false;

    Moment retransmission_at_ = kNever, probe_at_ = kNever, reordering_at_ = kNever,
           persist_at_ = kNever;

    // Who held the sender back.
    bool wants_to_send_ = false;  // only pacing is in the way
    Limit limit_ = Limit::kNone;
    Moment limit_since_{};
    bool cwnd_limited_ = false;
    Offset cwnd_limited_until_ = 0;
};

// The sending half of a connection that is open: scoreboard, loss recovery, congestion control,
// pacing and the timers of these. Times are moments that never go back.
class Sender : private SenderVariables {
public:
    Sender(std::uint32_t max_slots, Info& info);

    // Starts a connection. `rtt`: of the handshake, if it may be used.
    void open(const SenderSetup& setup, Congestion::Algorithm algorithm,
        std::optional<Microseconds> rtt, Moment now);

    // The application has data up to `end`; never less than before.
    void offer(Offset end) noexcept;
    // The stream ends at what has been sent.
    void withdraw() noexcept;
    // No more will be offered: the FIN follows.
    void finish() noexcept;

    // 0 <= ack.ack <= nxt() and ack.ack >= una() - max_window(): the caller has checked.
    void on_ack(const AckIn& ack, Moment now) noexcept;
    // As on_ack() for a segment that acknowledges una(), when nothing_in_flight().
    void on_window(Offset sequence, std::uint64_t window_bytes) noexcept;
    // A smaller path MTU; the caller has validated it.
    void on_segment_size(std::uint32_t segment_bytes, Moment now) noexcept;

    // Runs the timers that are due. False: the peer has not answered for too long.
    bool on_time(Moment now) noexcept;
    bool next(Moment now, Transmission& out) noexcept;
    [[nodiscard]] Moment next_deadline() const noexcept;

    [[nodiscard]] Offset una() const { return board_.una(); }
    [[nodiscard]] Offset nxt() const { return board_.nxt(); }
    [[nodiscard]] std::uint64_t max_window() const { return max_window_; }
    [[nodiscard]] bool nothing_in_flight() const { return board_.una() == board_.nxt(); }
    [[nodiscard]] bool fin_sent() const { return fin_ && board_.nxt() > stream_end_; }
    [[nodiscard]] bool fin_acknowledged() const { return fin_ && board_.una() > stream_end_; }
    [[nodiscard]] std::uint32_t segment_bytes() const { return segment_bytes_; }
    void fill_info(Moment now) noexcept;
    [[nodiscard]] const char* broken_invariant() const noexcept;

private:
    // What one ACK has brought about.
    struct Progress {
        Delivered delivered;
        std::uint32_t delivered_slots = 0;  // with what duplicate ACKs stand for
        std::uint64_t highest_sacked_before = 0;
        bool advanced = false;
        bool duplicate_sack = false;
        bool sacked_news = false;
        bool ack_is_duplicate = false;
        std::uint64_t first_before = 0;
    };

    // sender_ack.cpp: an ACK comes in.
    void note_window(Offset sequence, Offset acknowledged, std::uint64_t window_bytes) noexcept;
    Progress update_board(const AckIn& ack) noexcept;
    void take_sack_blocks(const AckIn& ack, Progress& p) noexcept;
    bool is_duplicate_sack(const AckIn& ack, std::size_t i) const noexcept;
    void take_duplicate_sack(const Range& block) noexcept;
    void count_duplicate_acks(const AckIn& ack, Progress& p) noexcept;
    [[nodiscard]] bool accept_retransmission(const Sent& sent, const AckIn& ack) const noexcept;
    [[nodiscard]] std::uint32_t timestamp_of(const Sent& sent) const noexcept;
    std::optional<Microseconds> sample_rtt(const AckIn& ack, const Progress& p) noexcept;
    void note_reordering(const Progress& p) noexcept;
    void finish_probe(const AckIn& ack, const Progress& p) noexcept;
    void rearm(const Progress& p) noexcept;

    // sender_recovery.cpp: what is lost, and what follows from it.
    std::uint32_t detect_losses(const Progress& p) noexcept;
    std::uint32_t detect_without_sack(const Progress& p) noexcept;
    std::uint32_t run_rack() noexcept;
    void begin_episode(State state) noexcept;
    void enter_recovery() noexcept;
    void enter_reduced() noexcept;
    void end_episode() noexcept;
    void leave_if_recovered(const Progress& p) noexcept;
    bool undo_if_spurious(const AckIn& ack, const Progress& p) noexcept;
    void on_ece(const AckIn& ack) noexcept;

    // sender_timers.cpp
    [[nodiscard]] Moment next_timer() const noexcept;
    bool user_gives_up(bool first, Microseconds waited) noexcept;
    void on_retransmission_timeout() noexcept;
    void on_probe_timeout() noexcept;
    void on_persist_timeout() noexcept;
    void arm_probe() noexcept;
    void arm_retransmission() noexcept;

    // sender_transmit.cpp
    bool next_forced(Transmission& out) noexcept;
    bool next_lost(Transmission& out) noexcept;
    bool next_new(Transmission& out) noexcept;
    bool next_persist(Transmission& out) noexcept;
    void send_lost(const Scoreboard::Run& run, Transmission& out) noexcept;
    void send_new(Offset from, Offset to, Transmission& out) noexcept;
    [[nodiscard]] Offset end_of_new(Offset from, std::uint32_t quota) noexcept;
    [[nodiscard]] std::uint32_t room() const noexcept;
    [[nodiscard]] std::uint32_t burst_slots() const noexcept;
    void paced(std::uint32_t bytes) noexcept;
    void limited_by(Limit limit) noexcept;
    void account_limit() noexcept;
    void arm_persist() noexcept;

    // sender_size.cpp
    void note_black_hole() noexcept;
    void note_size_passes() noexcept;
    void start_size_test() noexcept;
    void end_size_test() noexcept;
    void use_segment_size(std::uint32_t bytes) noexcept;
    void adapt_slots() noexcept;
    [[nodiscard]] bool waits_for_empty_network() const noexcept;

    [[nodiscard]] std::uint32_t cwnd() const noexcept;
    [[nodiscard]] std::uint32_t pipe() const noexcept;
    [[nodiscard]] Offset window_end() const { return wl_ack_ + static_cast<Offset>(window_); }
    [[nodiscard]] Offset limit() const { return stream_end_ + (fin_ ? 1 : 0); }
    [[nodiscard]] bool in_episode() const { return state_ != State::kOpen; }
    [[nodiscard]] std::uint32_t clock_us() const;
    [[nodiscard]] std::uint32_t clock_ms() const;
    [[nodiscard]] std::uint64_t pacing_rate() const noexcept;
    [[nodiscard]] Microseconds since_epoch() const
    {
        return std::chrono::duration_cast<Microseconds>(now_.time_since_epoch());
    }

    Info& info_;
    Scoreboard board_;
    Rack rack_;
};

}  // namespace dpdkperf::tcp
