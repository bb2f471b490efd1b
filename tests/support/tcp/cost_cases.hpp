// Steps of the engine whose cost is watched. bench_tcp measures their time, tcp_cost their
// instructions.
#pragma once

#include "dpdkperf/tcp/connection.hpp"
#include "offset.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace dpdkperf::tcp::sim {

// An established connection, and what its peer sends. As a sender it may have `kWindow` segments
// in flight, and pacing is never in the way.
class Established {
public:
    static constexpr Offset kSlot = 1'448;
    static constexpr std::uint32_t kWindow = 20'000;

    explicit Established(std::uint32_t max_burst_bytes = 0)
    {
        Settings settings;
        settings.congestion = Algorithm::kFixed;
        settings.fixed_window_segments = kWindow;
        settings.receive_window_bytes = 1U << 30U;
        settings.max_burst_bytes = max_burst_bytes;
        connection.connect(settings, now);
        Segment syn;
        connection.next_segment(now, syn);
        now += std::chrono::microseconds{20};
        in.header.flags = wire::kTcpSyn | wire::kTcpAck;
        in.header.sequence = 99;
        in.header.acknowledgment = 1;
        in.header.options.mss = 1'460;
        in.header.options.window_scale = 14;
        in.header.options.sack_permitted = true;
        in.header.options.timestamps = {1, 0};
        connection.on_segment(in, now);
        in = {};
        in.header.flags = wire::kTcpAck;
        in.header.sequence = 100;
        in.header.window = 65'535;
        in.header.acknowledgment = 1;
        in.header.options.timestamps = {1, 0};
        connection.on_segment(in, now);
        pull();
    }

    // The next call to next_segment() until there is none.
    std::uint64_t pull()
    {
        std::uint64_t n = 0;
        Segment out;
        while (connection.next_segment(now, out)) {
            sent_end = std::max(sent_end,
                static_cast<Offset>(out.stream_offset) + static_cast<Offset>(out.payload_bytes));
            ++n;
        }
        return n;
    }

    void fill_window()
    {
        connection.offer(~std::uint64_t{0});
        do {
            now += std::chrono::microseconds{200};
        } while (pull() > 0);
    }

    void acknowledge(Offset to)
    {
        acked = to;
        in.header.acknowledgment = sequence_of(to, 1);
        connection.on_segment(in, now);
    }

    // The n-th block of the next acknowledgment: `count` segments, `first` segments behind what is
    // acknowledged.
    void sack(std::size_t n, Offset first, Offset count)
    {
        in.header.options.sack[n] = {
            sequence_of(acked + first * kSlot, 1), sequence_of(acked + (first + count) * kSlot, 1)};
        in.header.options.sack_count =
            std::max(in.header.options.sack_count, static_cast<std::uint8_t>(n + 1));
    }

    // All that was sent arrives, and the window is full again.
    void start_again()
    {
        const std::uint8_t blocks = std::exchange(in.header.options.sack_count, std::uint8_t{0});
        acknowledge(sent_end);
        in.header.options.sack_count = blocks;
        fill_window();
    }

    Connection connection;
    Arrival in;
    Moment now{std::chrono::hours{1}};
    Offset sent_end = 0;
    Offset acked = 0;
};

// The whole cost of a sender: an acknowledgment of some segments, and those that take their place,
// one by one or, with kBurstBytes, at once.
template <Offset kAcked, std::uint32_t kBurstBytes>
class SendBehindAcks {
public:
    SendBehindAcks() { e_.fill_window(); }
    [[nodiscard]] static bool exhausted() { return false; }
    void start_again() {}
    void step()
    {
        e_.now += std::chrono::microseconds{50};
        e_.acknowledge(e_.acked + kAcked * Established::kSlot);
        e_.pull();
    }

private:
    Established e_{kBurstBytes};
};
using SendSegments = SendBehindAcks<45, 0>;
using SendSuperSegments = SendBehindAcks<45, 45 * static_cast<std::uint32_t>(Established::kSlot)>;
using SendBehindSmallAcks = SendBehindAcks<2, 0>;

// Three SACK blocks that have not been reported before; the holes between them are lost.
template <Offset kBlock>
class SackNews {
public:
    SackNews() { start_again(); }
    [[nodiscard]] bool exhausted() const
    {
        return at_ + 3 * (kBlock + 1) > Offset{Established::kWindow} - 100;
    }
    void start_again()
    {
        e_.start_again();
        at_ = 1;
    }
    void rewind() { at_ = 1; }  // to blocks that have been reported
    void step()
    {
        for (std::size_t i = 0; i < 3; ++i) {
            e_.sack(i, at_, kBlock);
            at_ += kBlock + 1;
        }
        e_.connection.on_segment(e_.in, e_.now);
    }

private:
    Established e_;
    Offset at_ = 1;
};
using SackBlocks = SackNews<44>;
using SackOddSegments = SackNews<1>;

// What case 23 of the design does a million times: blocks that are known already.
class SackOddSegmentsAgain {
public:
    SackOddSegmentsAgain()
    {
        while (!news_.exhausted()) {
            news_.step();
        }
        news_.rewind();
    }
    [[nodiscard]] bool exhausted() const { return news_.exhausted(); }
    void start_again() { news_.rewind(); }
    void step() { news_.step(); }

private:
    SackOddSegments news_;
};

// Three blocks that span the whole window and say nothing new: all slots are looked at thrice.
class HostileScan {
public:
    HostileScan()
    {
        e_.fill_window();
        for (std::size_t i = 0; i < 3; ++i) {
            e_.sack(i, 1, Established::kWindow - 10 - static_cast<Offset>(i));
        }
        e_.connection.on_segment(e_.in, e_.now);
    }
    [[nodiscard]] static bool exhausted() { return false; }
    void start_again() {}
    void step() { e_.connection.on_segment(e_.in, e_.now); }

private:
    Established e_;
};

// A receiver's packets in bursts of 45, as many as a 64 KB ACK covers.
class ReceiveInOrder {
public:
    [[nodiscard]] static bool exhausted() { return false; }
    void start_again() {}
    void step()
    {
        e_.in.payload_bytes = static_cast<std::uint32_t>(Established::kSlot);
        for (int i = 0; i < 45; ++i) {
            e_.connection.on_segment(e_.in, e_.now);
            e_.in.header.sequence += e_.in.payload_bytes;
        }
        e_.pull();
    }

private:
    Established e_;
};

// A hundred islands behind a hole, each of which grows by a segment in turn; every segment is
// acknowledged.
class ReceiveOutOfOrder {
public:
    [[nodiscard]] bool exhausted() const { return i_ >= 100 * 150; }
    void start_again()
    {
        e_ = Established{};
        i_ = 0;
    }
    void step()
    {
        constexpr auto kBytes = static_cast<std::uint32_t>(Established::kSlot);
        e_.in.payload_bytes = kBytes;
        e_.in.header.sequence = 100 + (i_ % 100 * 200 + 1 + i_ / 100) * kBytes;
        ++i_;
        e_.connection.on_segment(e_.in, e_.now);
        e_.pull();
    }

private:
    Established e_;
    std::uint32_t i_ = 0;
};

// The dearest place for an island: every new one is in front of all others, until none has room.
class ReceiveIslandsBackwards {
public:
    static constexpr std::uint32_t kIslands = 1'024;

    [[nodiscard]] bool exhausted() const { return i_ == 0; }
    void start_again()
    {
        e_ = Established{};
        i_ = kIslands;
    }
    void step()
    {
        constexpr auto kBytes = static_cast<std::uint32_t>(Established::kSlot);
        e_.in.payload_bytes = kBytes;
        e_.in.header.sequence = 100 + 2 * i_-- * kBytes;
        e_.connection.on_segment(e_.in, e_.now);
        e_.pull();
    }

private:
    Established e_;
    std::uint32_t i_ = kIslands;
};

}  // namespace dpdkperf::tcp::sim
