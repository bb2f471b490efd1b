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
    ~TxBurst() { rte_pktmbuf_free_bulk(&mbufs_[begin_], static_cast<unsigned>(end_ - begin_)); }

    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::uint16_t room() const noexcept
    {
        return static_cast<std::uint16_t>(capacity_ - end_);
    }

    // Room for `n` more mbufs at the end, n <= room(); the caller fills it, then calls add().
    rte_mbuf** tail() noexcept { return &mbufs_[end_]; }
    void add(UdpStream& stream, std::uint16_t n) noexcept
    {
        runs_[last_run_++] = {&stream, n};
        end_ = static_cast<std::uint16_t>(end_ + n);
    }

    // Offers everything to the NIC and books what it takes on the streams. Returns how much that
    // is.
    std::uint16_t send(const PollerQueue& queue) noexcept
    {
        const auto offered = static_cast<std::uint16_t>(end_ - begin_);
        const std::uint16_t taken = queue.transmit(&mbufs_[begin_], offered);
        begin_ = static_cast<std::uint16_t>(begin_ + taken);
        book(taken);
        if (empty()) {
            begin_ = end_ = run_ = last_run_ = 0;
        } else {
            ++runs_[run_].stream->ring_full;
        }
        return taken;
    }

    // Frees what the NIC has not taken of this session's streams; it was never counted. What is the
    // other sessions' stays, in order.
    void drop(const Session& session) noexcept
    {
        std::uint16_t from = begin_, kept = 0, kept_runs = 0;
        for (const Run& run : std::span{runs_}.subspan(run_, last_run_ - run_)) {
            if (run.stream->session == &session) {
                rte_pktmbuf_free_bulk(&mbufs_[from], run.packets);
            } else {
                std::copy_n(&mbufs_[from], run.packets, &mbufs_[kept]);
                kept = static_cast<std::uint16_t>(kept + run.packets);
                runs_[kept_runs++] = run;
            }
            from = static_cast<std::uint16_t>(from + run.packets);
        }
        begin_ = run_ = 0;
        end_ = kept;
        last_run_ = kept_runs;
    }

private:
    struct Run {
        UdpStream* stream;
        std::uint16_t packets;
    };

    void book(std::uint16_t taken) noexcept
    {
        while (taken > 0) {
            Run& run = runs_[run_];
            const std::uint16_t n = std::min(run.packets, taken);
            run.stream->datagrams_done.add(n);
            run.stream->bytes_done.add(std::uint64_t{n} * run.stream->datagrams.payload_bytes());
            taken = static_cast<std::uint16_t>(taken - n);
            run.packets = static_cast<std::uint16_t>(run.packets - n);
            run_ = static_cast<std::uint16_t>(run_ + (run.packets == 0));
        }
    }

    const std::uint16_t capacity_;
    std::array<rte_mbuf*, ports::kMostBurst> mbufs_{};
    std::array<Run, ports::kMostBurst> runs_{};
    std::uint16_t begin_ = 0, end_ = 0;     // mbufs
    std::uint16_t run_ = 0, last_run_ = 0;  // runs
};

}  // namespace dpdkperf::engine
