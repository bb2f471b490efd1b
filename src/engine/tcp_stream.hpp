#pragma once

#include "dpdkperf/base/time.hpp"
#include "dpdkperf/stats/frames.hpp"
#include "dpdkperf/tcp/connection.hpp"
#include "dpdkperf/wire/tcp_frame.hpp"
#include "stream.hpp"

#include <atomic>
#include <cstdint>
#include <optional>

namespace dpdkperf::engine {

// A stream over TCP, and its connection.
struct alignas(64) TcpStream final : Stream {
    void fill(stats::Snapshot& snapshot, Moment now) const noexcept override;
    // What has been sent is sent again until it is acknowledged; `sending` ends then.
    void stop() noexcept override;

    // Segments in flight: 24 MB of 1,448 bytes, more than Linux's default windows.
    static constexpr tcp::Limits kLimits{.segments_in_flight = 16'384};

    // Owner only.
    tcp::Connection connection{kLimits};
    std::optional<wire::TcpFrameWriter> writer;  // once both addresses are known
    std::uint64_t sent_end = 0;                  // of our stream, behind what has left once
    std::uint64_t offered_end = 0;
    stats::FrameCount sent_frames, received_frames;
    bool started = false;  // start() has set the pacer
    bool due = false;      // something has arrived or was asked for since it was last pumped
    Moment deadline = Moment::max();
    Moment since{};            // server: when its SYN has come, or when it was turned away
    bool turned_away = false;  // server: it gets a byte that says so, and goes

    // Client, until it is open: the poller other than the owner that the answer to its SYN has come
    // to. That poller writes, the owner reads.
    std::atomic<const Poller*> arrives_at{nullptr};

    // Owner: writes. Control: reads.
    std::atomic<bool> ended{false};   // closed by the peer after it was open
    std::atomic<bool> parted{false};  // closed by both sides

    // The errno that a socket would tell of a connection that is closed, or that the peer closes.
    [[nodiscard]] int close_error(Moment now) const noexcept;
    // What a client sends in front of its data; a server sends nothing.
    [[nodiscard]] std::uint64_t sent_prefix() const;
    [[nodiscard]] std::uint64_t received_prefix() const;
    // Where our stream ends; ~0: nowhere.
    [[nodiscard]] std::uint64_t limit() const;
};

}  // namespace dpdkperf::engine
