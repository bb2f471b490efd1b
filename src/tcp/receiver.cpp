#include "receiver.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

namespace {

// Linux 6.1, TCP_DELACK_MIN; and quick ACKs while the peer is in slow start.
constexpr auto kDelay = std::chrono::milliseconds{40};
constexpr auto kQuickDelay = std::chrono::milliseconds{1};
constexpr std::uint64_t kQuickSegments = 16;
// A burst is interrupted for an acknowledgment after this much, or an eighth of the window.
constexpr std::uint64_t kUrgentBytes = 65'536;

}  // namespace

void Receiver::open(const ReceiverSetup& setup) noexcept
{
    setup_ = setup;
    ranges_.reset();
    fin_at_.reset();
    fin_reached_ = false;
    acks_due_ = 0;
    delayed_at_ = Moment::max();
    unacknowledged_bytes_ = 0;
    last_acknowledged_ = 0;
    room_end_ = setup.room_end;
    told_end_ = window_end();
    duplicate_count_ = 0;
}

void Receiver::acknowledge_now() noexcept
{
    acks_due_ = std::min<std::uint32_t>(acks_due_ + 1, kMaxDue);
}

void Receiver::acknowledge_duplicate(const Range& bytes) noexcept
{
    if (setup_.sack && duplicate_count_ < kMaxDue) {
        duplicates_[duplicate_count_++] = bytes;
    }
    acknowledge_now();
}

// RFC 9293, 3.8.6.2.2: not before it is worth a segment.
void Receiver::on_room(Offset end) noexcept
{
    const auto least = static_cast<Offset>(std::min(setup_.window_bytes / 2, full_segment_bytes_));
    const Offset step = faulty(Fault::kRoomInSlivers) ? 1 : least;
    if (end - room_end_ >= step) {
        room_end_ = end;
    }
    const bool worth_telling = peer_is_stuck() && tellable_end() - told_end_ >= step;
    if (worth_telling && !faulty(Fault::kWindowReopensSilently)) {
        acks_due_ = std::max(acks_due_, 1U);
    }
}

void Receiver::on_data(const Range& bytes, std::uint32_t packets, bool push, Moment now) noexcept
{
    const Offset before = ranges_.next();
    const bool had_hole = !ranges_.ranges().empty();
    Range taken = bytes;
    if (fin_at_ && taken.right > *fin_at_) {
        ++info_.rejected.after_fin;
        taken.right = *fin_at_;
    }
    if (fin_reached_ || taken.left >= taken.right) {
        acknowledge_now();
        return;
    }
    ++info_.data_segments_received;
    const ReceivedRanges::Insertion in = ranges_.insert(taken);
    if (in.duplicate_bytes) {
        info_.duplicate_bytes += static_cast<std::uint64_t>(in.duplicate.right - in.duplicate.left);
    }
    switch (in.outcome) {
    case ReceivedRanges::Outcome::kInOrder:
        info_.bytes_received += static_cast<std::uint64_t>(ranges_.next() - before);
        break;
    case ReceivedRanges::Outcome::kOutOfOrder:
        ++info_.out_of_order_segments;
        break;
    case ReceivedRanges::Outcome::kRefused:
        ++info_.rejected.no_room;
        break;
    case ReceivedRanges::Outcome::kDuplicate:
        break;
    }
    if (in.duplicate_bytes) {
        acknowledge_duplicate(in.duplicate);
    } else if (in.outcome == ReceivedRanges::Outcome::kInOrder && !had_hole) {
        note_in_order(static_cast<std::uint64_t>(bytes.right - bytes.left), packets, push, now);
    } else if (faulty(Fault::kOutOfOrderAckDelayed)) {
        delayed_at_ = std::min(delayed_at_, now + kDelay);
    } else {
        acknowledge_now();  // a hole is news, and so is its end (RFC 5681, 4.2)
    }
    reach_fin();
}

void Receiver::on_next_data(
    std::uint64_t bytes, std::uint32_t packets, bool push, Moment now) noexcept
{
    ++info_.data_segments_received;
    info_.bytes_received += bytes;
    ranges_.advance(static_cast<Offset>(bytes));
    note_in_order(bytes, packets, push, now);
}

// RFC 9293, 3.8.6.3: an acknowledgment for at least every second full segment, the rest within
// the delay. Several due in one burst become one; what interrupts a burst is urgent.
void Receiver::note_in_order(
    std::uint64_t bytes, std::uint32_t packets, bool push, Moment now) noexcept
{
    full_segment_bytes_ = std::max(full_segment_bytes_, bytes / std::max(packets, 1U));
    unacknowledged_bytes_ += bytes;
    if (unacknowledged_bytes_ >= std::min(kUrgentBytes, setup_.window_bytes / 8)) {
        acks_due_ = std::max(acks_due_, 2U);
    } else if (unacknowledged_bytes_ >= 2 * full_segment_bytes_ || packets > 1) {
        acks_due_ = std::max(acks_due_, 1U);
    } else {
        const bool quick = info_.data_segments_received <= kQuickSegments || push;
        delayed_at_ = std::min(delayed_at_, now + (quick ? kQuickDelay : kDelay));
    }
}

void Receiver::on_fin(Offset at) noexcept
{
    if (!fin_reached_ && !fin_at_ && at >= ranges_.highest()) {
        fin_at_ = at;
    }
    reach_fin();
    acks_due_ = std::max(acks_due_, 1U);
}

void Receiver::reach_fin() noexcept
{
    const bool reached =
        fin_at_ && (ranges_.next() == *fin_at_ || faulty(Fault::kFinBeforeItsTurn));
    if (!fin_reached_ && reached) {
        fin_reached_ = true;
        ranges_.advance(1);  // the FIN takes one position, and nothing is behind it
        acks_due_ = std::max(acks_due_, 1U);
    }
}

std::size_t Receiver::take_sack_blocks(std::span<Range> to) noexcept
{
    if (!setup_.sack || to.empty()) {
        return 0;
    }
    std::size_t n = 0;
    if (duplicate_count_ > 0) {
        to[n++] = duplicates_[0];
        std::move(duplicates_.begin() + 1,
            duplicates_.begin() + static_cast<long>(duplicate_count_), duplicates_.begin());
        --duplicate_count_;
    }
    const std::size_t first = n;
    n += ranges_.report(to.subspan(n));
    for (Range& block : to.subspan(first, n - first)) {
        block.right += block.right == fin_at_ ? 1 : 0;  // the FIN has arrived as well
    }
    return n;
}

void Receiver::on_acknowledged() noexcept
{
    acks_due_ = acks_due_ > 0 ? acks_due_ - 1 : 0;
    if (unacknowledged_bytes_ > 0 && duplicate_count_ == 0 && ranges_.ranges().empty()) {
        acks_due_ = 0;  // what was urgent has been said
    }
    unacknowledged_bytes_ = 0;
    delayed_at_ = Moment::max();
    last_acknowledged_ = ranges_.next();
    told_end_ = tellable_end();
}

}  // namespace dpdkperf::tcp
