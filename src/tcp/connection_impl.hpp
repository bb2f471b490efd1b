#pragma once

#include "dpdkperf/tcp/connection.hpp"
#include "fault.hpp"
#include "offset.hpp"
#include "receiver.hpp"
#include "sender.hpp"

#include <array>
#include <optional>

namespace dpdkperf::tcp {

// The variables of a connection that change from one use to the next.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): by topic
struct ConnectionVariables {
    Settings settings_;
    State state_ = State::kClosed;
    Moment now_{};
    bool passive_ = false;  // it was in LISTEN

    // Sequence numbers of offset 0: behind the SYN of either side.
    std::uint32_t send_base_ = 0;
    std::uint32_t receive_base_ = 0;

    // What the options of both SYNs have settled.
    std::uint16_t peer_mss_ = 0;  // 0: not told
    std::uint8_t send_shift_ = 0, receive_shift_ = 0;
    bool scaling_ = false, timestamps_ = false, sack_ = false, ecn_ = false;

    // The handshake.
    bool syn_due_ = false;
    std::uint32_t syns_sent_ = 0;
    std::uint32_t extra_syns_ = 0;
    std::uint32_t syn_timeouts_ = 0;
    Moment syn_sent_at_{};
    Moment syn_timeout_at_ = kNever;

    // RFC 7323.
    std::uint32_t recent_timestamp_ = 0;
    Moment recent_timestamp_at_{};

    // ECN: our receiver saw CE and the peer has not answered with CWR (RFC 3168, 6.1.3).
    bool echo_congestion_ = false;

    Offset offered_ = 0;
    bool close_wanted_ = false, withdrawn_ = false;
    std::optional<Segment> reply_;  // a reset that is due
    Moment time_wait_until_ = kNever;

    // Answers to segments that nobody sane sends are limited.
    Moment challenges_since_{};
    std::uint32_t challenges_ = 0;
    std::optional<Moment> last_idle_answer_;

    std::array<std::byte, 64> prefix_{};
};

struct Connection::Impl : ConnectionVariables {
    explicit Impl(const Limits& limits)
        : sender_{limits.segments_in_flight, info_}, receiver_{info_}
    {
    }

    Info info_;
    Sender sender_;
    Receiver receiver_;

    // connection.cpp
    void restart(const Settings& settings, Moment now) noexcept;
    void close_with(CloseReason reason) noexcept;
    void enter_time_wait() noexcept;
    void on_close() noexcept;
    [[nodiscard]] bool is_open() const noexcept;  // synchronized, and data may flow
    // A SYN or data with this sequence number has been sent and not been acknowledged.
    [[nodiscard]] bool is_in_flight(std::uint32_t sequence) const noexcept;
    bool run_timers() noexcept;
    [[nodiscard]] Moment next_deadline() const noexcept;

    // handshake.cpp
    void in_listen(const Arrival& arrival) noexcept;
    void in_syn_sent(const Arrival& arrival) noexcept;
    void in_syn_received(const Arrival& arrival) noexcept;
    void refuse_stale_ack(const wire::TcpHeader& header) noexcept;
    void reset_in_syn_received(Offset at) noexcept;
    [[nodiscard]] bool acceptable_in_syn_received(const wire::TcpHeader& header) noexcept;
    void take_syn(const wire::TcpHeader& header) noexcept;
    void establish(std::uint64_t peer_window_bytes) noexcept;
    void on_syn_timeout() noexcept;
    void write_syn(Segment& out) noexcept;
    [[nodiscard]] std::uint32_t own_mss() const noexcept;
    [[nodiscard]] std::uint32_t send_segment_bytes() const noexcept;
    void reset_reply(std::uint32_t sequence) noexcept;

    // arrival.cpp: the tests of RFC 9293, 3.10.7.4, in order.
    void in_synchronized(const Arrival& arrival) noexcept;
    [[nodiscard]] bool predicted(const Arrival& arrival) const noexcept;
    void take_predicted(const Arrival& arrival) noexcept;
    [[nodiscard]] bool timestamp_ok(const Arrival& arrival, const Range& span) noexcept;
    void answer_unacceptable(const Arrival& arrival, const Range& span) noexcept;
    [[nodiscard]] bool sequence_ok(const Arrival& arrival, const Range& span) noexcept;
    [[nodiscard]] bool reset_or_syn(const Arrival& arrival, Offset left) noexcept;
    [[nodiscard]] bool acknowledgment_ok(Offset ack) noexcept;
    void note_timestamp(const Arrival& arrival, const Range& span) noexcept;
    void take_acknowledgment(const Arrival& arrival, Offset sequence, Offset ack) noexcept;
    void take_congestion_marks(const Arrival& arrival) noexcept;
    void take_payload(const Arrival& arrival, Offset left) noexcept;
    [[nodiscard]] Offset keep_prefix(const Arrival& arrival, Range bytes) noexcept;
    [[nodiscard]] Offset put_in_store(const Arrival& arrival, Range bytes) noexcept;
    void after_acknowledgment() noexcept;
    void after_payload() noexcept;
    void in_time_wait(const Arrival& arrival, Offset left) noexcept;
    void challenge() noexcept;

    // departure.cpp
    bool next_segment(Segment& out) noexcept;
    bool next_when_open(Segment& out) noexcept;
    void look_for_room() noexcept;
    void write_data(const Transmission& sent, Segment& out) noexcept;
    void write_acknowledgment(Segment& out) noexcept;
    void write_common(Segment& out, Offset at) noexcept;

    [[nodiscard]] std::uint32_t timestamp() const noexcept
    {
        const auto ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
        return settings_.timestamp_offset + static_cast<std::uint32_t>(ms.count());
    }
};

}  // namespace dpdkperf::tcp
