#pragma once

#include "dpdkperf/ports/port_plan.hpp"
#include "poller_queue.hpp"
#include "session.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include <rte_mbuf.h>

namespace dpdkperf::engine {

// Stamped datagrams on their way to the NIC, in order, as runs of one stream each. Owns them until
// the NIC takes them; what it does not take stays and is offered first the next time.
class TxBurst {
public:
    // Of at most `capacity` datagrams, no more than ports::kMostBurst.
    explicit TxBurst(std::uint16_t capacity) : capacity_{capacity} {}
    TxBurst(const TxBurst&) = delete;
    TxBurst& operator=(const TxBurst&) = delete;
    ~TxBurst() { rte_pktmbuf_free_bulk(mbufs_.data(), end_); }

    [[nodiscard]] bool empty() const noexcept { return end_ == 0; }
    [[nodiscard]] std::uint16_t room() const noexcept
    {
        return static_cast<std::uint16_t>(capacity_ - end_);
    }

    // Room for `n` more mbufs at the end, n <= room(); the caller fills it, then calls add().
    rte_mbuf** tail() noexcept { return &mbufs_[end_]; }
    void add(UdpStream& stream, std::uint16_t n) noexcept
    {
        if (last_run_ > 0 && runs_[last_run_ - 1U].stream == &stream) {
            Run& last = runs_[last_run_ - 1U];
            last.packets = static_cast<std::uint16_t>(last.packets + n);
        } else {
            runs_[last_run_++] = {&stream, n};
        }
        end_ = static_cast<std::uint16_t>(end_ + n);
    }

    // Offers everything to the NIC and books what it takes on the streams. Returns how much that
    // is.
    std::uint16_t send(const PollerQueue& queue) noexcept
    {
        const std::uint16_t taken = queue.transmit(mbufs_.data(), end_);
        const std::uint16_t done = book(taken);
        if (taken < end_) {
            ++runs_[done].stream->ring_full;
            std::copy(mbufs_.begin() + taken, mbufs_.begin() + end_, mbufs_.begin());
            std::copy(runs_.begin() + done, runs_.begin() + last_run_, runs_.begin());
        }
        end_ = static_cast<std::uint16_t>(end_ - taken);
        last_run_ = static_cast<std::uint16_t>(last_run_ - done);
        return taken;
    }

    // Whether something of this stream waits.
    [[nodiscard]] bool holds(const UdpStream& stream) const noexcept
    {
        return std::ranges::any_of(std::span{runs_}.first(last_run_),
            [&stream](const Run& run) { return run.stream == &stream; });
    }

    // Frees what the NIC has not taken of this session's streams; it was never counted. What is the
    // other sessions' stays, in order.
    void drop(const Session& session) noexcept
    {
        std::uint16_t from = 0, kept = 0, kept_runs = 0;
        for (const Run& run : std::span{runs_}.first(last_run_)) {
            if (run.stream->session == &session) {
                rte_pktmbuf_free_bulk(&mbufs_[from], run.packets);
            } else {
                std::copy_n(&mbufs_[from], run.packets, &mbufs_[kept]);
                kept = static_cast<std::uint16_t>(kept + run.packets);
                runs_[kept_runs++] = run;
            }
            from = static_cast<std::uint16_t>(from + run.packets);
        }
        end_ = kept;
        last_run_ = kept_runs;
    }

private:
    struct Run {
        UdpStream* stream;
        std::uint16_t packets;
    };

    // Returns how many runs have left as a whole.
    std::uint16_t book(std::uint16_t taken) noexcept
    {
        std::uint16_t done = 0;
        while (taken > 0) {
            Run& run = runs_[done];
            const std::uint16_t n = std::min(run.packets, taken);
            run.stream->datagrams_done.add(n);
            run.stream->bytes_done.add(std::uint64_t{n} * run.stream->datagrams.payload_bytes());
            taken = static_cast<std::uint16_t>(taken - n);
            run.packets = static_cast<std::uint16_t>(run.packets - n);
            done = static_cast<std::uint16_t>(done + (run.packets == 0));
        }
        return done;
    }

    const std::uint16_t capacity_;
    std::array<rte_mbuf*, ports::kMostBurst> mbufs_{};
    std::array<Run, ports::kMostBurst> runs_{};
    std::uint16_t end_ = 0;       // of mbufs
    std::uint16_t last_run_ = 0;  // the end of runs
};

}  // namespace dpdkperf::engine
