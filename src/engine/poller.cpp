#include "poller.hpp"

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include <rte_cycles.h>
#include <sched.h>

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

// How long a poller sleeps that has found nothing to do: twice as long each time.
constexpr std::chrono::nanoseconds kShortestNap{8'000}, kLongestNap{500'000};

// Packets that may wait for another poller.
constexpr unsigned kInboxSize = 1024;

// Several pollers write, one reads.
rte_ring* make_inbox()
{
    const auto bytes = static_cast<std::size_t>(rte_ring_get_memsize(kInboxSize));
    auto* const ring =
        static_cast<rte_ring*>(::operator new (bytes, std::align_val_t{RTE_CACHE_LINE_SIZE}));
    rte_ring_init(ring, "inbox", kInboxSize, RING_F_SC_DEQ);
    return ring;
}

}  // namespace

Poller::Poller(
    PollerContext& context, const std::vector<ports::QueuePair>& queues, std::size_t number)
    : context_{context},
      number_{number},
      captured_{context.capture != nullptr ? std::make_unique<Captured>(*context.capture,
                                                 context.capture_interface, number)
                                           : nullptr},
      queues_{at_lines(queues)},
      inbox_{make_inbox()},
      sends_for_kernel_{context.exceptions != nullptr && number == 0},
      tcp_{context.tags, context.mac, context.mtu_bytes, context.secret, queues_.front()},
      burst_{queues_.front().burst}
{
    const auto [tsc, at] = read_clocks();
    clock_ = {rte_get_tsc_hz(), tsc, at};
}

Poller::~Poller()
{
    free_received();
    rte_pktmbuf_free_bulk(&kernels_[kernels_begin_], kernels_end_ - kernels_begin_);
}

std::vector<PollerQueue> Poller::at_lines(const std::vector<ports::QueuePair>& queues)
{
    std::vector<PollerQueue> all;
    for (const ports::QueuePair& queue : queues) {
        ImpairedLine* line = nullptr;
        if (context_.impairment.any()) {
            lines_.push_back(std::make_unique<ImpairedLine>(
                context_.impairment, queue.device_queue, context_.tags));
            line = lines_.back().get();
        }
        all.push_back({queue, line, captured_.get()});
        all.back().tso = queue.tso && line == nullptr;  // such a link loses packets one by one
    }
    return all;
}

stats::Impaired Poller::impaired() const noexcept
{
    stats::Impaired sum;
    for (const auto& line : lines_) {
        sum = sum + stats::Impaired{line->transmitted(), line->received()};
    }
    return sum;
}

void Poller::flush_lines() noexcept
{
    for (const PollerQueue& queue : queues_) {
        if (queue.line != nullptr) {
            queue.line->flush(queue);
        }
    }
}

// Before a sleep: what is on its way to the port arrives there, what comes from it is for nobody.
void Poller::settle_lines() noexcept
{
    for (const PollerQueue& queue : queues_) {
        while (queue.line != nullptr && queue.line->flush(queue) && !commands_.pending()) {
        }
        if (queue.line != nullptr) {
            queue.line->forget_received();
        }
    }
}

void Poller::FreeRing::operator()(rte_ring* ring) const noexcept
{
    void* mbuf = nullptr;
    while (rte_ring_dequeue(ring, &mbuf) == 0) {
        rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
    }
    ::operator delete (ring, std::align_val_t{RTE_CACHE_LINE_SIZE});
}

void Poller::run() noexcept
{
    using enum RxChecksum;
    const bool owns = context_.exceptions != nullptr;
    switch (context_.rx_checksum) {
    case kVerify:
        return owns ? loop<LoopPolicy<kVerify, true>>() : loop<LoopPolicy<kVerify, false>>();
    case kVerifyOrPartial:
        return owns ? loop<LoopPolicy<kVerifyOrPartial, true>>()
                    : loop<LoopPolicy<kVerifyOrPartial, false>>();
    case kTrust:
        return owns ? loop<LoopPolicy<kTrust, true>>() : loop<LoopPolicy<kTrust, false>>();
    }
}

template <class Policy>
void Poller::loop() noexcept
{
    for (;;) {
        if (commands_.pending()) [[unlikely]] {
            if (!obey()) {
                return;
            }
        }
        if (active_count_ == 0) [[unlikely]] {
            rest();
            continue;
        }
        const std::uint64_t now = rte_rdtsc();
        meter_.begin(now);
        if (now >= next_event_) [[unlikely]] {
            on_time(now);
        }
        meter_.note(receive<Policy::kChecksum>(now) > 0);
        if (!lines_.empty()) [[unlikely]] {
            flush_lines();
        }
        if constexpr (Policy::kOwnsPort) {
            send_for_kernel();
        }
        meter_.note(transmit(now));
        if (tcp_.active()) {
            meter_.note(tcp_.transmit(now, clock_.scale().moment(now)));
        }
    }
}

// A turn without a session. On a port of our own the kernel's packets still come and go.
void Poller::rest() noexcept
{
    if (context_.exceptions == nullptr) {
        settle_lines();
        commands_.wait();
    } else {
        expects_packets_ = true;
        const bool idle = receive<RxChecksum::kVerify>(rte_rdtsc()) == 0;
        flush_lines();
        send_for_kernel();
        nap_ = idle ? std::clamp(nap_ * 2, kShortestNap, kLongestNap) : kShortestNap;
        if (idle) {
            std::this_thread::sleep_for(nap_);
        }
    }
}

// With the first session: nobody has seen the clock since the last one.
void Poller::set_clock() noexcept
{
    const auto [tsc, at] = read_clocks();
    clock_.set(tsc, at);
    meter_.restart(tsc);
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
        tcp_.vacate_places(clock_.scale().moment(now));
    }
    schedule();
}

void Poller::pass_edge(Active& active, std::uint64_t now) noexcept
{
    const Moment at = clock_.scale().moment(now);
    const Session& session = *active.session;
    for (std::size_t i = 0; i < session.size(); ++i) {
        if (Stream& stream = session.stream(i); stream.owned_by(*this) && !stream.final) {
            publish(stream, active, active.next_edge.number, at);
        }
    }
    for (const auto& stream : session.streams) {
        if (active.next_edge.ends_omit && stream->owned_by(*this)) {
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
    const Moment at = clock_.scale().moment(now);
    const Session& session = *active.session;
    settle(session);
    for (std::size_t i = 0; i < session.size(); ++i) {
        Stream& stream = session.stream(i);
        if (stream.owned_by(*this) && !stream.final && (stream.sends() || receivers_too)) {
            finalise(stream, active, at);
        }
    }
    if (receivers_too) {
        tell_load(active);
    }
    refresh_senders();
}

void Poller::tell_load(Active& active) noexcept
{
    if (std::exchange(active.metered, true)) {
        return;
    }
    const stats::TurnMeter::Reading done = meter_.reading() - active.meter_at_start;
    const double tick_ns = 1e9 / static_cast<double>(clock_.scale().ticks_per_second());
    const auto time_of = [tick_ns](std::uint64_t ticks) {
        return nanoseconds{static_cast<std::int64_t>(static_cast<double>(ticks) * tick_ns)};
    };
    active.session->loads[number_] = {.cpu = sched_getcpu(),
        .turns = done.turns,
        .busy_turns = done.busy_turns,
        .time = time_of(done.ticks),
        .busy_time = time_of(done.busy_ticks)};
}

void Poller::finalise(Stream& stream, const Active& active, Moment at) noexcept
{
    publish(stream, active, stats::kFinalEdge, at);
    stream.final = true;
    stream.stop();
}

void Poller::publish(Stream& stream, const Active& active, std::uint64_t edge, Moment at) noexcept
{
    stats::Snapshot s;
    s.edge = edge;
    s.at = active.started ? at - active.timetable.start : nanoseconds{0};
    stream.fill(s, at);
    stream.slots.publish(s);
}

}  // namespace dpdkperf::engine
