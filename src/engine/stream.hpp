#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/time.hpp"
#include "dpdkperf/pacing/pacer.hpp"
#include "dpdkperf/stats/counters.hpp"
#include "dpdkperf/stats/snapshot.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <atomic>
#include <cstdint>

namespace dpdkperf::engine {

class Poller;
struct Session;

// What streams of both protocols have. Made by the control thread in open(); from then on its
// owner, a poller, has it to itself, and the control thread reads the atomics and the slots.
struct Stream {
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    // Owner: the counters at `now`; nothing new is sent from now on.
    virtual void fill(stats::Snapshot& snapshot, Moment now) const noexcept = 0;
    virtual void stop() noexcept = 0;

    traffic::StreamSpec spec;
    Session* session = nullptr;

    // Owner only.
    Endpoint local, remote;
    pacing::Pacer pacer;
    bool final = false;  // kFinalEdge has been published

    // Owner: writes. Control: reads.
    stats::SingleWriterCounter bytes_done;
    std::atomic<bool> open{false};  // release: remote_port and what the protocol adds are set
    std::atomic<bool> refused{false};
    std::atomic<bool> sending{false};
    std::atomic<int> error{0};  // release, before `refused` and the like: the errno that says why
    std::uint16_t remote_port = 0;
    stats::SnapshotSlots slots;

    // The owner. Client: set before the pollers know the session; of a UDP receiver, by the poller
    // that the reply comes to. Server: by the poller that the hello or SYN comes to.
    std::atomic<const Poller*> owner{nullptr};

    [[nodiscard]] bool sends() const { return spec.direction == traffic::Direction::kSend; }
    [[nodiscard]] bool owned_by(const Poller& poller) const
    {
        return owner.load(std::memory_order_relaxed) == &poller;
    }
};

}  // namespace dpdkperf::engine
