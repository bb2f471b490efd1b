#include "connection_impl.hpp"

#include <algorithm>

namespace dpdkperf::tcp {

namespace {

// Whoever takes out of a store does not say so.
constexpr auto kRoomPoll = std::chrono::milliseconds{1};

}  // namespace

Connection::Connection(const Limits& limits) : impl_{std::make_unique<Impl>(limits)} {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

void Connection::Impl::restart(const Settings& settings, Moment now) noexcept
{
    static_cast<ConnectionVariables&>(*this) = {};
    info_ = {};
    settings_ = settings;
    settings_.kept_prefix_bytes = std::min<std::uint32_t>(
        settings.kept_prefix_bytes, static_cast<std::uint32_t>(prefix_.size()));
    if (settings.store != nullptr) {
        settings_.receive_window_bytes =
            std::min<std::uint64_t>(settings.receive_window_bytes, settings.store->size());
    }
    now_ = now;
    send_base_ = settings.initial_sequence + 1;
    // Smallest shift that lets the window into 16 bits (RFC 7323, 2.3: at most 14).
    while (settings.window_scaling && receive_shift_ < 14 &&
           settings_.receive_window_bytes >> receive_shift_ > 65535) {
        ++receive_shift_;
    }
}

void Connection::connect(const Settings& settings, Moment now) noexcept
{
    impl_->restart(settings, now);
    impl_->state_ = State::kSynSent;
    impl_->syn_due_ = true;
}

void Connection::listen(const Settings& settings, Moment now) noexcept
{
    impl_->restart(settings, now);
    impl_->passive_ = true;
    impl_->state_ = State::kListen;
}

bool Connection::Impl::is_open() const noexcept
{
    switch (state_) {
    case State::kEstablished:
    case State::kFinWait1:
    case State::kFinWait2:
    case State::kCloseWait:
    case State::kClosing:
    case State::kLastAck:
        return true;
    default:
        return false;
    }
}

void Connection::on_segment(const Arrival& arrival, Moment now) noexcept
{
    Impl& c = *impl_;
    c.now_ = now;
    ++c.info_.segments_received;
    switch (c.state_) {
    case State::kClosed:
        break;
    case State::kListen:
        c.in_listen(arrival);
        break;
    case State::kSynSent:
        c.in_syn_sent(arrival);
        break;
    case State::kSynReceived:
        c.in_syn_received(arrival);
        break;
    default:
        c.in_synchronized(arrival);
    }
}

bool Connection::Impl::is_in_flight(std::uint32_t sequence) const noexcept
{
    if (state_ == State::kSynSent) {
        return syns_sent_ > 0 && sequence == send_base_ - 1;
    }
    const Offset at = offset_of(sequence, send_base_, sender_.una());
    return is_open() && at >= sender_.una() && at < sender_.nxt();
}

void Connection::on_path_mtu(std::uint32_t sequence, std::uint32_t mtu_bytes, Moment now) noexcept
{
    Impl& c = *impl_;
    c.now_ = now;
    // RFC 1191, 3 and RFC 8201, 4: smaller ones are forged or broken. Linux's bound for IPv4.
    const std::uint32_t least = c.settings_.ipv4 ? 552 : 1280;
    if (mtu_bytes == c.settings_.mtu_bytes && c.is_open()) {
        return;  // every packet of a flight causes a message
    }
    if (!c.is_open() || !c.is_in_flight(sequence) || mtu_bytes < least ||
        mtu_bytes > c.settings_.mtu_bytes) {
        ++c.info_.rejected.icmp;
        return;
    }
    c.settings_.mtu_bytes = mtu_bytes;
    c.sender_.on_segment_size(c.send_segment_bytes(), now);
}

void Connection::on_unreachable(std::uint32_t sequence, int error, Moment now) noexcept
{
    Impl& c = *impl_;
    c.now_ = now;
    if (!c.is_in_flight(sequence)) {
        ++c.info_.rejected.icmp;
        return;
    }
    ++c.info_.unreachable;
    c.info_.unreachable_error = error;
    if (c.state_ == State::kSynSent) {
        c.close_with(CloseReason::kUnreachable);
    }
}

void Connection::offer(std::uint64_t end_offset) noexcept
{
    Impl& c = *impl_;
    if (c.withdrawn_) {
        return;
    }
    c.offered_ = std::max(c.offered_, end_offset > static_cast<std::uint64_t>(kEndless)
                                          ? kEndless
                                          : static_cast<Offset>(end_offset));
    if (c.is_open() && !c.close_wanted_) {
        c.sender_.offer(c.offered_);
    }
}

void Connection::withdraw() noexcept
{
    impl_->withdrawn_ = true;
    impl_->sender_.withdraw();
    impl_->offered_ = impl_->sender_.nxt();
}

void Connection::close(Moment now) noexcept
{
    Impl& c = *impl_;
    c.now_ = now;
    if (c.state_ == State::kListen || c.state_ == State::kSynSent) {
        c.close_with(CloseReason::kDone);
        return;
    }
    if (!c.close_wanted_) {
        c.close_wanted_ = true;
        c.on_close();
    }
}

// RFC 9293, 3.10.4; in SYN-RECEIVED the FIN waits for the handshake.
void Connection::Impl::on_close() noexcept
{
    if (state_ == State::kEstablished) {
        state_ = State::kFinWait1;
    } else if (state_ == State::kCloseWait) {
        state_ = State::kLastAck;
    } else {
        return;
    }
    sender_.finish();
}

void Connection::abort(Moment now) noexcept
{
    Impl& c = *impl_;
    c.now_ = now;
    if (c.is_open() || c.state_ == State::kSynReceived) {
        const Offset at = c.is_open() ? c.sender_.nxt() : 0;
        c.reset_reply(sequence_of(at, c.send_base_));
    }
    c.close_with(CloseReason::kAborted);
}

void Connection::Impl::close_with(CloseReason reason) noexcept
{
    if (state_ != State::kClosed) {
        state_ = State::kClosed;
        info_.close_reason = reason;
        syn_timeout_at_ = kNever;
        syn_due_ = false;
    }
}

void Connection::Impl::enter_time_wait() noexcept
{
    state_ = State::kTimeWait;
    time_wait_until_ = now_ + settings_.time_wait;
}

bool Connection::Impl::run_timers() noexcept
{
    if (syn_timeout_at_ <= now_) {
        on_syn_timeout();
    }
    if (state_ == State::kTimeWait && time_wait_until_ <= now_) {
        close_with(CloseReason::kDone);
    }
    if (is_open() && !sender_.on_time(now_)) {
        close_with(CloseReason::kTimedOut);
    }
    return state_ != State::kClosed;
}

bool Connection::next_segment(Moment now, Segment& out) noexcept
{
    impl_->now_ = now;
    return impl_->next_segment(out);
}

Moment Connection::next_deadline() const noexcept
{
    return impl_->next_deadline();
}

Moment Connection::Impl::next_deadline() const noexcept
{
    if (reply_ || syn_due_) {
        return now_;
    }
    Moment at = kNever;
    if (state_ == State::kSynSent || state_ == State::kSynReceived) {
        at = syn_timeout_at_;
    } else if (state_ == State::kTimeWait) {
        at = std::min(time_wait_until_, receiver_.delayed_at());
    } else if (is_open()) {
        at = std::min(sender_.next_deadline(), receiver_.delayed_at());
        if (settings_.store != nullptr && receiver_.awaits_room()) {
            at = std::min(at, now_ + kRoomPoll);
        }
    }
    const bool ack_due =
        (is_open() || state_ == State::kTimeWait) && receiver_.acknowledgments_due() > 0;
    return ack_due ? now_ : at;
}

bool Connection::acknowledgment_urgent() const noexcept
{
    return impl_->receiver_.acknowledgments_due() > 1;
}

State Connection::state() const noexcept
{
    return impl_->state_;
}

std::uint64_t Connection::acknowledged() const noexcept
{
    return impl_->info_.bytes_acknowledged;
}

std::uint64_t Connection::received() const noexcept
{
    return impl_->receiver_.bytes();
}

void Connection::publish() noexcept
{
    if (StreamStore* const store = impl_->settings_.store; store != nullptr) {
        store->publish(impl_->receiver_.bytes());
    }
}

bool Connection::peer_has_closed() const noexcept
{
    return impl_->receiver_.fin_reached();
}

std::span<const std::byte> Connection::prefix() const noexcept
{
    const std::uint64_t arrived = impl_->receiver_.bytes();
    return std::span{impl_->prefix_}.first(
        std::min<std::uint64_t>(arrived, impl_->settings_.kept_prefix_bytes));
}

Info Connection::info(Moment now) const noexcept
{
    Impl& c = *impl_;
    c.sender_.fill_info(now);
    Info info = c.info_;
    info.state = c.state_;
    info.path_mtu_bytes = c.settings_.mtu_bytes;
    return info;
}

const char* Connection::broken_invariant() const noexcept
{
    if (const char* broken = impl_->receiver_.broken_invariant(); broken != nullptr) {
        return broken;
    }
    return impl_->is_open() ? impl_->sender_.broken_invariant() : nullptr;
}

}  // namespace dpdkperf::tcp
