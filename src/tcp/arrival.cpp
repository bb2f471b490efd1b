#include "connection_impl.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

using namespace wire;

namespace {

// RFC 5961, 7: at most 10 challenge ACKs in 5 seconds; of this connection, because a limit shared
// with others tells an attacker about them (CVE-2016-5696).
constexpr std::uint32_t kMaxChallenges = 10;
constexpr auto kChallengePeriod = std::chrono::seconds{5};
// Linux 6.1, tcp_invalid_ratelimit.
constexpr auto kIdleAnswerPeriod = std::chrono::milliseconds{500};
// RFC 7323, 5.5: a timestamp this old says nothing.
constexpr auto kTimestampLife = std::chrono::hours{24 * 24};

}  // namespace

void Connection::Impl::in_synchronized(const Arrival& arrival) noexcept
{
    const TcpHeader& header = arrival.header;
    if (predicted(arrival)) {
        take_predicted(arrival);
        return;
    }
    const Offset left = offset_of(header.sequence, receive_base_, receiver_.next());
    const std::uint32_t length = arrival.payload_bytes + ((header.flags & kTcpSyn) != 0 ? 1 : 0) +
                                 ((header.flags & kTcpFin) != 0 ? 1 : 0);
    const Range span{left, left + length};
    if (state_ == State::kTimeWait && (header.flags & kTcpSyn) != 0) {
        in_time_wait(arrival, left);
        return;
    }
    if (!timestamp_ok(arrival, span) || !sequence_ok(arrival, span) ||
        reset_or_syn(arrival, left)) {
        return;
    }
    if ((header.flags & kTcpAck) == 0) {
        ++info_.rejected.no_ack;
        return;
    }
    const Offset ack = offset_of(header.acknowledgment, send_base_, sender_.una());
    if (!acknowledgment_ok(ack)) {
        return;
    }
    note_timestamp(arrival, span);
    take_acknowledgment(arrival, left, ack);
    after_acknowledgment();
    if (state_ == State::kClosed) {
        return;
    }
    take_congestion_marks(arrival);
    take_payload(arrival, left);
    after_payload();
}

// Header prediction, as in RFC 7323, appendix C: the next segment of a stream that flows in one
// direction. Such a segment passes all the tests there are, and changes little.
bool Connection::Impl::predicted(const Arrival& arrival) const noexcept
{
    const TcpHeader& header = arrival.header;
    const auto& timestamps = header.options.timestamps;
    const bool expected = arrival.payload_bytes > 0 && state_ == State::kEstablished &&
                          (header.flags & ~kTcpPsh) == kTcpAck &&
                          header.sequence == sequence_of(receiver_.next(), receive_base_) &&
                          header.acknowledgment == sequence_of(sender_.una(), send_base_) &&
                          header.options.sack_count == 0 && !ecn_;
    const bool timely =
        !timestamps_ ||
        (timestamps && static_cast<std::int32_t>(timestamps->value - recent_timestamp_) >= 0);
    return expected && timely && sender_.nothing_in_flight() &&
           receiver_.takes_in_order(arrival.payload_bytes) &&
           receiver_.next() >= settings_.kept_prefix_bytes && settings_.store == nullptr;
}

void Connection::Impl::take_predicted(const Arrival& arrival) noexcept
{
    const Offset left = receiver_.next();
    note_timestamp(arrival, {left, left + arrival.payload_bytes});
    sender_.on_window(left, std::uint64_t{arrival.header.window} << send_shift_);
    receiver_.on_next_data(
        arrival.payload_bytes, arrival.packets, (arrival.header.flags & kTcpPsh) != 0, now_);
}

// RFC 7323, 3.2 and 5.3. Resets are exempt.
bool Connection::Impl::timestamp_ok(const Arrival& arrival, const Range& span) noexcept
{
    if (!timestamps_ || (arrival.header.flags & kTcpRst) != 0 || faulty(Fault::kNoPaws)) {
        return true;
    }
    const auto& timestamps = arrival.header.options.timestamps;
    if (!timestamps) {
        ++info_.rejected.missing_timestamp;
        return false;
    }
    if (static_cast<std::int32_t>(timestamps->value - recent_timestamp_) >= 0 ||
        now_ - recent_timestamp_at_ > kTimestampLife) {
        return true;
    }
    ++info_.rejected.old_timestamp;
    if (span.right > span.left) {
        receiver_.acknowledge_now();
    } else {
        challenge();
    }
    return false;
}

bool Connection::Impl::sequence_ok(const Arrival& arrival, const Range& span) noexcept
{
    const Offset next = receiver_.next();
    const Offset end = receiver_.window_end();
    const bool ok = span.left == span.right ? span.left >= next && span.left <= end
                                            : span.right > next && span.left < end;
    if (!ok) {
        ++info_.rejected.outside_window;
        answer_unacceptable(arrival, span);
    }
    return ok;
}

void Connection::Impl::answer_unacceptable(const Arrival& arrival, const Range& span) noexcept
{
    const std::uint8_t flags = arrival.header.flags;
    const bool empty = span.left == span.right;
    if ((flags & kTcpRst) != 0) {
        return;
    }
    if ((flags & (kTcpSyn | kTcpAck)) == (kTcpSyn | kTcpAck) && span.left == -1) {
        if (!faulty(Fault::kDuplicateSynAckIgnored)) {
            receiver_.acknowledge_now();  // our ACK was lost
        }
    } else if ((flags & kTcpSyn) != 0) {
        ++info_.rejected.unexpected_syn;
        challenge();
    } else if (!empty && span.right <= receiver_.next()) {
        // Not limited: a peer in recovery needs every one of these (RFC 2883).
        info_.data_segments_received += arrival.payload_bytes > 0 ? 1U : 0U;
        info_.duplicate_bytes += arrival.payload_bytes;
        receiver_.acknowledge_duplicate(span);
        if (state_ == State::kTimeWait) {
            time_wait_until_ = now_ + settings_.time_wait;  // the last ACK was lost
        }
    } else if (!empty) {
        challenge();
    } else if (!last_idle_answer_ || now_ - *last_idle_answer_ >= kIdleAnswerPeriod) {
        last_idle_answer_ = now_;
        receiver_.acknowledge_now();
    }
}

// RFC 5961, 3 and 4. True: the segment is done with.
bool Connection::Impl::reset_or_syn(const Arrival& arrival, Offset left) noexcept
{
    const std::uint8_t flags = arrival.header.flags;
    if ((flags & kTcpRst) != 0) {
        // The right edge of what was SACKed is what Linux sends after a hole.
        const bool exact = left == receiver_.next() || left == receiver_.highest();
        if (exact || faulty(Fault::kAnyResetInWindow)) {
            close_with(CloseReason::kReset);
        } else {
            ++info_.rejected.reset_inexact;
            challenge();
        }
        return true;
    }
    if ((flags & kTcpSyn) != 0) {
        ++info_.rejected.unexpected_syn;
        challenge();
        return true;
    }
    return false;
}

// RFC 5961, 5.
bool Connection::Impl::acknowledgment_ok(Offset ack) noexcept
{
    if (ack > sender_.nxt()) {
        ++info_.rejected.ack_of_unsent;
        challenge();
        return false;
    }
    if (ack < sender_.una() - static_cast<Offset>(sender_.max_window())) {
        ++info_.rejected.ack_too_old;
        challenge();
        return false;
    }
    return true;
}

void Connection::Impl::challenge() noexcept
{
    if (now_ - challenges_since_ >= kChallengePeriod) {
        challenges_since_ = now_;
        challenges_ = 0;
    }
    if (challenges_ < kMaxChallenges) {
        ++challenges_;
        ++info_.challenge_acks;
        receiver_.acknowledge_now();
    }
}

// RFC 7323, 4.3, (2): only a segment that the last acknowledgment was waiting for.
void Connection::Impl::note_timestamp(const Arrival& arrival, const Range& span) noexcept
{
    const auto& timestamps = arrival.header.options.timestamps;
    if (!timestamps_ || !timestamps || span.left > receiver_.last_acknowledged()) {
        return;
    }
    if (static_cast<std::int32_t>(timestamps->value - recent_timestamp_) >= 0 ||
        now_ - recent_timestamp_at_ > kTimestampLife) {
        recent_timestamp_ = timestamps->value;
        recent_timestamp_at_ = now_;
    }
}

void Connection::Impl::take_acknowledgment(
    const Arrival& arrival, Offset sequence, Offset ack) noexcept
{
    const TcpHeader& header = arrival.header;
    std::array<Range, kMaxSackBlocks> blocks;
    std::size_t n = 0;
    for (const SackBlock& block : header.options.sack_blocks()) {
        const Offset left = offset_of(block.left, send_base_, sender_.una());
        blocks[n] = {left, left + static_cast<std::int32_t>(block.right - block.left)};
        if (faulty(Fault::kSackWrap)) {
            blocks[n] = {Offset{block.left} - send_base_, Offset{block.right} - send_base_};
        }
        ++n;
    }
    AckIn in;
    in.sequence = sequence;
    in.ack = ack;
    in.window_bytes = std::uint64_t{header.window}
                      << (faulty(Fault::kWindowNotScaled) ? 0 : send_shift_);
    in.sack = {blocks.data(), n};
    if (timestamps_ && header.options.timestamps) {
        in.echo_ms = header.options.timestamps->echo - settings_.timestamp_offset;
    }
    in.ece = (header.flags & kTcpEce) != 0;
    in.carries_data = arrival.payload_bytes > 0 || (header.flags & kTcpFin) != 0;
    sender_.on_ack(in, now_);
}

void Connection::Impl::after_acknowledgment() noexcept
{
    if (!sender_.fin_acknowledged()) {
        return;
    }
    if (state_ == State::kFinWait1) {
        state_ = State::kFinWait2;
    } else if (state_ == State::kClosing) {
        enter_time_wait();
    } else if (state_ == State::kLastAck) {
        close_with(CloseReason::kDone);
    }
}

// RFC 3168, 6.1.3.
void Connection::Impl::take_congestion_marks(const Arrival& arrival) noexcept
{
    if (!ecn_) {
        return;
    }
    if ((arrival.header.flags & kTcpCwr) != 0) {
        echo_congestion_ = false;
    }
    if (arrival.ecn == Ecn::kCongested) {
        ++info_.congestion_marks;
        if (!echo_congestion_) {
            echo_congestion_ = true;
            receiver_.acknowledge_now();
        }
    }
}

// The first bytes are copied; where they are not at hand the segment ends before them. Returns
// where it ends.
Offset Connection::Impl::keep_prefix(const Arrival& arrival, Range bytes) noexcept
{
    const Offset wanted = std::min<Offset>(bytes.right, settings_.kept_prefix_bytes);
    if (bytes.left >= wanted || receiver_.next() >= settings_.kept_prefix_bytes) {
        return bytes.right;
    }
    const Offset at_hand = bytes.left + static_cast<Offset>(arrival.head.size());
    const Offset end = std::min(wanted, at_hand);
    for (Offset at = std::max<Offset>(bytes.left, receiver_.next()); at < end; ++at) {
        prefix_[static_cast<std::size_t>(at)] =
            arrival.head[static_cast<std::size_t>(at - bytes.left)];
    }
    return at_hand < wanted ? at_hand : bytes.right;
}

// What has not been handed on is copied, out of order too; what is not at hand ends the segment.
// Returns where it ends.
Offset Connection::Impl::put_in_store(const Arrival& arrival, Range bytes) noexcept
{
    if (settings_.store == nullptr) {
        return bytes.right;
    }
    const Offset end = std::min(bytes.right, bytes.left + static_cast<Offset>(arrival.head.size()));
    const Offset begin =
        std::max({bytes.left, receiver_.next(), static_cast<Offset>(settings_.store->first())});
    if (begin < end) {
        const Offset to = faulty(Fault::kStoredBeforeItsTurn) ? receiver_.next() : begin;
        settings_.store->put(static_cast<std::uint64_t>(to),
            arrival.head.subspan(static_cast<std::size_t>(begin - bytes.left),
                static_cast<std::size_t>(end - begin)));
    }
    return end;
}

void Connection::Impl::take_payload(const Arrival& arrival, Offset left) noexcept
{
    const bool receiving =
        state_ == State::kEstablished || state_ == State::kFinWait1 || state_ == State::kFinWait2;
    const Offset right = left + arrival.payload_bytes;
    const bool fin = (arrival.header.flags & kTcpFin) != 0;
    if (!receiving) {  // the peer's FIN has been reached: nothing can follow
        info_.rejected.after_fin += right > receiver_.next() ? 1U : 0U;
        return;
    }
    if (arrival.payload_bytes > 0) {
        Range bytes{left, std::min(right, receiver_.window_end())};
        bytes.right = keep_prefix(arrival, bytes);
        bytes.right = put_in_store(arrival, bytes);
        receiver_.on_data(bytes, arrival.packets, (arrival.header.flags & kTcpPsh) != 0, now_);
    }
    if (fin && right <= receiver_.window_end()) {
        receiver_.on_fin(right);
    }
}

void Connection::Impl::after_payload() noexcept
{
    if (!receiver_.fin_reached()) {
        return;
    }
    if (state_ == State::kEstablished) {
        state_ = State::kCloseWait;
    } else if (state_ == State::kFinWait1) {
        state_ = State::kClosing;  // our FIN has not been acknowledged
    } else if (state_ == State::kFinWait2) {
        enter_time_wait();
    }
}

// RFC 9293, 3.10.7.4 and RFC 6191: a new SYN may end TIME-WAIT, if it can't be an old one.
void Connection::Impl::in_time_wait(const Arrival& arrival, Offset left) noexcept
{
    const TcpHeader& header = arrival.header;
    const bool plain_syn = (header.flags & (kTcpSyn | kTcpAck | kTcpRst)) == kTcpSyn;
    const auto& timestamps = header.options.timestamps;
    const bool newer = timestamps && timestamps_
                           ? static_cast<std::int32_t>(timestamps->value - recent_timestamp_) > 0
                           : left > receiver_.next();
    if (!plain_syn || !newer || !passive_) {
        ++info_.rejected.unexpected_syn;
        challenge();
        return;
    }
    Settings settings = settings_;
    // Far from all that may still be in the network (RFC 1122, 4.2.2.13).
    settings.initial_sequence = sequence_of(sender_.nxt(), send_base_) + 65'536 + 2;
    settings.store = nullptr;  // it has the stream that is over
    restart(settings, now_);
    passive_ = true;
    state_ = State::kListen;
    in_listen(arrival);
}

}  // namespace dpdkperf::tcp
