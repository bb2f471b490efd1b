// How large segments are: what the path takes, and whether it still does.
#include "sender.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

namespace {

// RFC 4821, 7.7: timeouts in a row that full-size segments, but no others, may be the cause of.
constexpr std::uint32_t kBlackHoleTimeouts = 2;
constexpr std::uint32_t kMinSegmentBytes = 512;
constexpr std::uint64_t kMinSlotBytes = 64;
// RFC 8899, 5.1.1 (PMTU_RAISE_TIMER is 600 s): what looked like a black hole may have been loss.
constexpr auto kRaiseAfter = std::chrono::seconds{60};

}  // namespace

// After a timeout. An outage looks like a path that swallows large segments: what tells them apart
// is whether the next large ones get through when small ones do.
void Sender::note_black_hole() noexcept
{
    if (size_test_from_ && board_.nxt() > *size_test_from_) {
        use_segment_size(size_before_test_);
        end_size_test();
        raise_at_ = now_ + kRaiseAfter;
        return;
    }
    if (timeouts_ % kBlackHoleTimeouts != 0 || segment_bytes_ <= kMinSegmentBytes) {
        return;
    }
    end_size_test();
    use_segment_size(std::max(segment_bytes_ / 2, kMinSegmentBytes));
    size_in_doubt_ = true;
    raise_at_ = now_ + kRaiseAfter;
}

// After an acknowledgment of new data.
void Sender::note_size_passes() noexcept
{
    if (size_in_doubt_ && board_.retransmitted() == 0 && !faulty(Fault::kLargeSegmentsShunned)) {
        start_size_test();
    } else if (size_test_from_ && board_.una() > *size_test_from_) {
        end_size_test();
    }
}

// Full-size segments again. Where slots still are of that size all that is lost is sent so, without
// a pause; else slots have to change first.
void Sender::start_size_test() noexcept
{
    end_size_test();
    size_before_test_ = segment_bytes_;
    use_segment_size(path_bytes_);
    if (board_.slot_bytes() == path_bytes_) {
        new_slot_size_ = false;
        // Of a slot that is acknowledged in part the rest may have been sent in halves.
        const Offset una = board_.una();
        const Offset end = board_.slot_end(una);
        size_test_from_ = end - una == board_.slot_bytes() ? una : end;
    }
}

void Sender::end_size_test() noexcept
{
    size_in_doubt_ = false;
    size_before_test_ = 0;
    size_test_from_.reset();
    raise_at_ = kNever;
}

void Sender::use_segment_size(std::uint32_t bytes) noexcept
{
    segment_bytes_ = bytes;
    new_slot_size_ = true;
}

// RFC 1191, 6.5, and Linux's tcp_simple_retransmit(): what is too large for the path goes out again
// at once. It was not lost to congestion, so cwnd stays.
void Sender::on_segment_size(std::uint32_t segment_bytes, Moment now) noexcept
{
    now_ = now;
    path_bytes_ = std::min(path_bytes_, segment_bytes);
    if (segment_bytes >= segment_bytes_) {
        return;
    }
    end_size_test();
    use_segment_size(segment_bytes);
    if (board_.out() == 0) {
        return;
    }
    board_.mark_all_lost();
    rack_.on_timeout(board_);
    before_.reset();
    probe_end_.reset();
    probe_at_ = kNever;
    state_ = State::kLoss;
    recovery_point_ = board_.nxt();
}

// Slots follow the segment size when nothing is in flight: after a change of the path MTU, or when
// the peer's window turns out to be smaller than a segment.
void Sender::adapt_slots() noexcept
{
    if (board_.out() > 0) {
        return;
    }
    new_slot_size_ = false;
    if (size_before_test_ != 0 && !size_test_from_) {
        size_test_from_ = board_.nxt();
    }
    const auto wanted = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(segment_bytes_, std::max(max_window_, kMinSlotBytes)));
    if (wanted == board_.slot_bytes()) {
        return;
    }
    congestion_.rescale(static_cast<double>(board_.slot_bytes()) / wanted);
    board_.reset(board_.nxt(), wanted);
    rack_.reset();
    rate_is_old_ = true;
    highest_sacked_ = 0;
}

bool Sender::waits_for_empty_network() const noexcept
{
    return new_slot_size_ && board_.out() > 0;
}

}  // namespace dpdkperf::tcp
