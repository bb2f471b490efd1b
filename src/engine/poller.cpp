#include "poller.hpp"

#include <algorithm>

#include <rte_cycles.h>

namespace dpdkperf::engine {

namespace {

struct ClockReading {
    std::uint64_t tsc;
    Moment at;
};

// Both clocks at the same moment: the closest of a few tries, since an interrupt may come between.
ClockReading read_clocks() noexcept
{
    ClockReading best{};
    std::uint64_t closest = ~std::uint64_t{0};
    for (int i = 0; i < 5; ++i) {
        const std::uint64_t before = rte_rdtsc();
        const Moment at = std::chrono::steady_clock::now();
        const std::uint64_t apart = rte_rdtsc() - before;
        if (apart < closest) {
            closest = apart;
            best = {before + apart / 2, at};
        }
    }
    return best;
}

}  // namespace

Poller::Poller(PollerContext& context, std::vector<ports::QueuePair> queues)
    : context_{context}, queues_{std::move(queues)}
{
    const auto [tsc, at] = read_clocks();
    clock_ = {rte_get_tsc_hz(), tsc, at};
}

void Poller::run() noexcept
{
    switch (context_.rx_checksum) {
    case RxChecksum::kVerify:
        loop<RxChecksum::kVerify>();
        break;
    case RxChecksum::kVerifyOrPartial:
        loop<RxChecksum::kVerifyOrPartial>();
        break;
    }
}

template <RxChecksum kChecksum>
void Poller::loop() noexcept
{
    for (;;) {
        if (commands_.pending()) [[unlikely]] {
            if (!obey()) {
                return;
            }
        }
        if (active_count_ == 0) [[unlikely]] {
            commands_.wait();
            set_clock();
            continue;
        }
        const std::uint64_t now = rte_rdtsc();
        if (now >= next_event_) [[unlikely]] {
            on_time(now);
        }
        receive<kChecksum>(now);
        transmit(now);
    }
}

template void Poller::loop<RxChecksum::kVerify>() noexcept;
template void Poller::loop<RxChecksum::kVerifyOrPartial>() noexcept;

// After a sleep: nobody has seen the clock meanwhile.
void Poller::set_clock() noexcept
{
    const auto [tsc, at] = read_clocks();
    clock_.set(tsc, at);
    next_reading_ = tsc + clock_.scale().ticks_per_second();
    schedule();
}

void Poller::schedule() noexcept
{
    next_event_ = next_reading_;
    for (std::size_t i = 0; i < active_count_; ++i) {
        Active& active = active_[i];
        if (!active.started) {
            continue;
        }
        const auto tsc_of = [&](nanoseconds at) {
            return clock_.scale().tsc(active.timetable.start + at);
        };
        if (active.has_edge) {
            active.edge_tsc = tsc_of(active.next_edge.at);
            next_event_ = std::min(next_event_, active.edge_tsc);
        }
        if (active.timetable.end) {
            active.end_tsc = tsc_of(*active.timetable.end);
            next_event_ = std::min(next_event_, active.end_tsc);
        }
    }
}

void Poller::on_time(std::uint64_t now) noexcept
{
    for (std::size_t i = 0; i < active_count_; ++i) {
        Active& active = active_[i];
        while (active.started && active.has_edge && now >= active.edge_tsc) {
            pass_edge(active, now);
        }
        if (active.started && active.timetable.end && now >= active.end_tsc) {
            end_streams(active, now, true);
            active.timetable.end.reset();
        }
    }
    if (now >= next_reading_) {
        const auto [tsc, at] = read_clocks();
        clock_.adjust(tsc, at);
        next_reading_ = tsc + clock_.scale().ticks_per_second();
    }
    schedule();
}

void Poller::pass_edge(Active& active, std::uint64_t now) noexcept
{
    const Moment at = clock_.scale().moment(now);
    for (const auto& stream : active.session->streams) {
        if (stream->owner.load(std::memory_order_relaxed) != this) {
            continue;
        }
        if (!stream->final) {
            publish(*stream, active, active.next_edge.number, at);
        }
        if (active.next_edge.ends_omit) {
            stream->receiver.restart_jitter();
        }
    }
    const std::uint64_t next = active.next_edge.number + 1;
    active.has_edge = active.timetable.edges.has(next);
    if (active.has_edge) {
        active.next_edge = active.timetable.edges.edge(next);
        active.edge_tsc = clock_.scale().tsc(active.timetable.start + active.next_edge.at);
    }
}

void Poller::end_streams(Active& active, std::uint64_t now, bool receivers_too) noexcept
{
    settle();
    const Moment at = clock_.scale().moment(now);
    for (const auto& stream : active.session->streams) {
        const bool ours = stream->owner.load(std::memory_order_relaxed) == this;
        if (ours && !stream->final && (stream->sends() || receivers_too)) {
            finalise(*stream, active, at);
        }
    }
    refresh_senders();
}

void Poller::finalise(UdpStream& stream, const Active& active, Moment at) noexcept
{
    publish(stream, active, stats::kFinalEdge, at);
    stream.final = true;
    stream.sending.store(false, std::memory_order_release);
}

void Poller::publish(
    UdpStream& stream, const Active& active, std::uint64_t edge, Moment at) noexcept
{
    stats::Snapshot s;
    s.edge = edge;
    s.at = active.started ? at - active.timetable.start : nanoseconds{0};
    s.bytes = {stream.bytes_done.read()};
    if (stream.sends()) {
        s.packets = stream.datagrams_done.read();
        s.ring_full = stream.ring_full;
    } else {
        s.packets = stream.receiver.highest();
        s.lost = stream.receiver.lost();
        s.out_of_order = stream.receiver.out_of_order();
        s.jitter_s = stream.receiver.jitter_s();
        s.arrived = stream.receiver.arrived();
        s.duplicates = stream.receiver.duplicates();
    }
    stream.slots.publish(s);
}

}  // namespace dpdkperf::engine
