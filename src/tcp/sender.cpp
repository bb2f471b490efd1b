#include "sender.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

namespace {

constexpr double kInitialWindow = 10;  // RFC 6928

}  // namespace

Sender::Sender(std::uint32_t max_slots, Info& info) : info_{info}, board_{max_slots} {}

void Sender::open(const SenderSetup& setup, Congestion::Algorithm algorithm,
    std::optional<Microseconds> rtt, Moment now)
{
    static_cast<SenderVariables&>(*this) = {};
    rack_.reset();
    now_ = now;
    setup_ = setup;
    segment_bytes_ = path_bytes_ = setup.segment_bytes;
    window_ = max_window_ = setup.peer_window_bytes;
    congestion_ = Congestion{algorithm, kInitialWindow};
    board_.reset(0, segment_bytes_);
    if (setup.one_slot) {
        congestion_.start_with_one_slot();
    }
    if (rtt) {
        rtt_.on_sample(*rtt, since_epoch());
    }
    limit_since_ = now;
}

void Sender::offer(Offset end) noexcept
{
    if (!fin_) {
        stream_end_ = std::max(stream_end_, end);
    }
}

void Sender::withdraw() noexcept
{
    if (!fin_) {
        stream_end_ = board_.nxt();
    }
}

void Sender::finish() noexcept
{
    if (!fin_ && stream_end_ == kEndless) {
        stream_end_ = board_.nxt();
    }
    fin_ = true;
}

std::uint32_t Sender::cwnd() const noexcept
{
    const bool reducing = state_ == State::kRecovery || state_ == State::kReduced;
    return reducing && !faulty(Fault::kNoPrr) ? prr_.cwnd() : congestion_.cwnd();
}

std::uint32_t Sender::pipe() const noexcept
{
    return board_.pipe() - std::min(duplicate_acks_, board_.pipe());
}

std::uint32_t Sender::clock_us() const
{
    return static_cast<std::uint32_t>(since_epoch().count());
}

std::uint32_t Sender::clock_ms() const
{
    return static_cast<std::uint32_t>(since_epoch().count() / 1000);
}

void Sender::fill_info(Moment now) noexcept
{
    now_ = now;
    account_limit();
    info_.cwnd_segments = cwnd();
    info_.cwnd_bytes = std::uint64_t{cwnd()} * board_.slot_bytes();
    info_.ssthresh_segments = congestion_.ssthresh();
    info_.peer_window_bytes = window_;
    info_.segments_in_flight = pipe();
    info_.segments_lost = board_.lost();
    info_.segments_sacked = board_.sacked();
    info_.rtt = rtt_.srtt();
    info_.rttvar = rtt_.rttvar();
    info_.min_rtt = rtt_.minimum();
    info_.rto = rtt_.rto();
    info_.reordering = reordering_.distance();
    info_.segment_bytes = segment_bytes_;
    info_.pacing_bytes_per_second = pacing_rate();
}

const char* Sender::broken_invariant() const noexcept
{
    if (const char* broken = board_.broken_invariant(); broken != nullptr) {
        return broken;
    }
    if (board_.nxt() > limit()) {
        return "more was sent than was offered";
    }
    if (board_.out() > 0 && !persist_byte_out_ && retransmission_at_ == kNever) {
        return "data in flight, and no timer runs";
    }
    return nullptr;
}

}  // namespace dpdkperf::tcp
