// A receiver that keeps what arrives: the window is the room that there is.
#include "dpdkperf/base/stream_store.hpp"
#include "full_size.hpp"
#include "grid.hpp"
#include "random.hpp"
#include "script.hpp"
#include "simulator.hpp"
#include "stream_byte.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <gtest/gtest.h>

namespace dpdkperf::tcp::sim {
namespace {

using wire::kTcpAck;
using wire::kTcpFin;

constexpr std::uint32_t kSegment = 1'448;
constexpr std::uint32_t kRoom = 65'536;
constexpr std::uint32_t kUnit = 2;  // of the window that kRoom is, for it does not fit 16 bits

// Takes at most `most` bytes, which have to be those of the stream.
std::size_t take(StreamStore& store, std::size_t most)
{
    std::size_t taken = 0;
    while (taken < most) {
        const auto piece = store.readable();
        const std::size_t n = std::min(piece.size(), most - taken);
        if (n == 0) {
            break;
        }
        EXPECT_TRUE(is_of_stream(piece.first(n), store.taken())) << "at " << store.taken();
        store.take(n);
        taken += n;
    }
    return taken;
}

constexpr std::size_t kAll = ~std::size_t{0};

class TcpStore : public testing::Test {
protected:
    TcpStore()
    {
        Settings settings;
        settings.store = &store_;
        script_ = std::make_unique<Script>(settings);
        script_->connect();
    }

    // In order, until there is no room; what is not sent in full segments comes last.
    void fill()
    {
        while (next_ < store_.room_end()) {
            const auto length = std::min<std::uint64_t>(kSegment, store_.room_end() - next_);
            arrive(next_, static_cast<std::uint32_t>(length));
            next_ += length;
        }
        script_->after(milliseconds{50});
    }
    void arrive(std::uint64_t at, std::uint32_t length)
    {
        script_->in({.seq = static_cast<Offset>(at), .length = length});
    }
    [[nodiscard]] std::uint64_t received() { return script_->connection().received(); }

    StreamStore store_{kRoom, 0};
    std::unique_ptr<Script> script_;
    std::uint64_t next_ = 0;
};

TEST_F(TcpStore, HasWhatArrivesInWhateverOrder)
{
    arrive(2 * kSegment, kSegment);
    arrive(kSegment, kSegment);
    EXPECT_EQ(take(store_, kAll), 0U);
    arrive(0, kSegment);
    EXPECT_EQ(take(store_, kAll), 3 * kSegment);
    arrive(kSegment, 3 * kSegment);  // two thirds are not news, and are gone
    EXPECT_EQ(take(store_, kAll), kSegment);
    EXPECT_EQ(received(), 4 * kSegment);
}

TEST_F(TcpStore, EndsASegmentWhereItIsNotAtHand)
{
    script_->in({.seq = 0, .length = kSegment, .at_hand = 1'000});
    EXPECT_EQ(received(), 1'000U);
    script_->in({.seq = 1'000, .length = 448, .at_hand = 0});
    EXPECT_EQ(received(), 1'000U);
    arrive(0, kSegment);
    EXPECT_EQ(take(store_, kAll), kSegment);
}

TEST_F(TcpStore, LeavesTheFinOut)
{
    script_->in({.seq = 0, .length = 100, .flags = kTcpAck | kTcpFin});
    EXPECT_TRUE(script_->connection().peer_has_closed());
    EXPECT_EQ(take(store_, kAll), 100U);
}

TEST_F(TcpStore, BoundsTheWindow)
{
    arrive(0, kSegment);
    arrive(kSegment, kSegment);
    EXPECT_EQ(script_->next().segment.header.window, (kRoom - 2 * kSegment) / kUnit);
    take(store_, kAll);
    arrive(2 * kSegment, kSegment);
    arrive(3 * kSegment, kSegment);
    EXPECT_EQ(script_->next().segment.header.window, (kRoom - 2 * kSegment) / kUnit);
}

TEST_F(TcpStore, ClosesTheWindowAndKeepsWhatItHas)
{
    fill();
    EXPECT_EQ(received(), kRoom);
    EXPECT_EQ(script_->take().back().segment.header.window, 0U);
    arrive(kRoom, kSegment);
    EXPECT_EQ(received(), kRoom);
    EXPECT_EQ(script_->take().size(), 1U);  // the window may have got lost
    EXPECT_EQ(take(store_, kAll), kRoom);
}

TEST_F(TcpStore, ReopensTheWindowWhenItIsWorthASegment)
{
    fill();
    script_->take();
    script_->after(milliseconds{20});
    take(store_, kSegment - 1);
    script_->after(milliseconds{20});
    EXPECT_TRUE(script_->quiet());
    take(store_, 1);
    const auto from = script_->now();
    script_->after(milliseconds{20});
    const auto told = script_->take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_LE(told[0].at - from, milliseconds{1});
    EXPECT_EQ(told[0].ack, kRoom);
    EXPECT_EQ(told[0].segment.header.window, kSegment / kUnit);
    take(store_, kAll);
    script_->after(milliseconds{20});
    fill();
    EXPECT_EQ(take(store_, kAll), kRoom);
}

TEST_F(TcpStore, SaysNothingOfRoomThatThePeerDoesNotNeed)
{
    for (int i = 0; i < 10; ++i) {
        arrive(next_, kSegment);
        arrive(next_ + kSegment, kSegment);
        next_ += 2 * kSegment;
        EXPECT_EQ(script_->take().size(), 1U);
        take(store_, kAll);
        script_->after(milliseconds{5});
        EXPECT_TRUE(script_->quiet());
    }
    EXPECT_EQ(script_->connection().next_deadline(), Moment::max());
}

// It has less than a segment left, and the acknowledgment of what it has sent could wait for 40 ms.
TEST_F(TcpStore, TellsAPeerThatWaitsBeforeTheDelayIsOver)
{
    fill();
    take(store_, 2 * kSegment - 100);
    script_->after(milliseconds{2});
    EXPECT_EQ(script_->take().back().segment.header.window, (2 * kSegment - 100) / kUnit);
    arrive(kRoom, kSegment);
    take(store_, kAll);
    const auto from = script_->now();
    script_->after(milliseconds{60});
    const auto told = script_->take();
    ASSERT_FALSE(told.empty());
    EXPECT_LE(told[0].at - from, milliseconds{1});
}

TEST(TcpStorePrefix, IsLeftOut)
{
    StreamStore store{4'096, 37};
    Settings settings;
    settings.store = &store;
    settings.kept_prefix_bytes = 37;
    Script s{settings};
    s.accept();
    s.in({.seq = 0, .length = 30});
    s.in({.seq = 30, .length = 50});
    EXPECT_EQ(s.connection().prefix().size(), 37U);
    EXPECT_EQ(take(store, kAll), 43U);
}

// The connection after the one that it was made for begins at 0 again.
TEST(TcpStoreInTimeWait, IsNotForTheNextConnection)
{
    StreamStore store{4'096, 0};
    Settings settings;
    settings.store = &store;
    Script s{settings};
    s.accept();
    s.in({.seq = 0, .length = 1'000});
    s.close();
    s.in({.seq = 1'000, .ack = 1, .flags = kTcpAck | kTcpFin});
    ASSERT_EQ(s.state(), State::kTimeWait);
    s.after(seconds{1});
    s.in({.seq = 100'000, .flags = wire::kTcpSyn});
    ASSERT_EQ(s.state(), State::kSynReceived);
    EXPECT_EQ(take(store, kAll), 1'000U);
    EXPECT_EQ(store.published(), 1'000U);
}

// Takes from a store in virtual time: `burst` bytes whenever `pause` is over.
class Taker {
public:
    Taker(StreamStore& store, std::size_t burst, nanoseconds pause)
        : store_{store}, burst_{burst}, pause_{pause}
    {
    }

    void at(nanoseconds time)
    {
        for (; next_ <= time; next_ += pause_) {
            take(store_, burst_);
        }
    }

private:
    StreamStore& store_;
    std::size_t burst_;
    nanoseconds pause_, next_{0};
};

Scenario to_a_store(StreamStore& store, std::uint64_t bytes)
{
    Scenario s;
    s.bytes[0] = bytes;
    s.settings[1].store = &store;
    for (LinkSettings& link : s.links) {
        link.delay = milliseconds{1};
        link.bits_per_second = 100e6;
    }
    return s;
}

TEST(TcpStoreSimulation, ASlowTakerSetsThePace)
{
    StreamStore store{kRoom, 0};
    Taker taker{store, 2'500, milliseconds{1}};  // 20 Mbit/s
    const Scenario s = to_a_store(store, 2'000'000);
    Simulator simulator{s};
    simulator.on_event = [&](Simulator&, nanoseconds at) { taker.at(at); };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    take(store, kAll);
    EXPECT_EQ(store.taken(), s.bytes[0]);
    EXPECT_EQ(o.info[0].segments_retransmitted, 0U);
    const auto seconds = std::chrono::duration<double>(o.finished.time_since_epoch()).count();
    EXPECT_GT(seconds, (2'000'000.0 - kRoom) / 2.5e6);
    EXPECT_LT(seconds, 1.1 * 2'000'000.0 / 2.5e6);
    EXPECT_GT(o.info[0].limited_by_peer_window, milliseconds{500});
}

// Segments are not cut into pieces because the taker takes little at a time.
TEST(TcpStoreSimulation, TheWindowIsNotSilly)
{
    StreamStore store{16'384, 0};
    Taker taker{store, 100, microseconds{50}};  // 16 Mbit/s
    const Scenario s = to_a_store(store, 1'000'000);
    Simulator simulator{s};
    simulator.on_event = [&](Simulator&, nanoseconds at) { taker.at(at); };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    EXPECT_LT(o.info[0].segments_sent, 1'000'000U / kSegment * 11 / 10);
}

TEST(TcpStoreSimulation, GoesOnWhenTheTakerDoes)
{
    StreamStore store{kRoom, 0};
    const Scenario s = to_a_store(store, 1'000'000);
    Simulator simulator{s};
    simulator.on_event = [&](Simulator&, nanoseconds at) {
        if (at > seconds{30}) {
            take(store, kAll);
        }
    };
    const Outcome o = simulator.run();
    EXPECT_EQ(o.fault, "");
    take(store, kAll);
    EXPECT_EQ(store.taken(), s.bytes[0]);
    EXPECT_GT(o.info[0].zero_window_probes, 3U);
    EXPECT_LT(o.finished, Moment{milliseconds{30'200}});
}

// Bad links both ways, takers that sleep and wake up, rooms of any size; both sides keep what they
// receive.
TEST(TcpStoreSimulation, EveryByteArrivesHoweverSlowTheTaker)
{
    const std::uint64_t seeds = full_size(400, 20);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Scenario s = grid_scenario(seed);
        Random random{seed};
        std::array<std::unique_ptr<StreamStore>, 2> stores;
        for (std::size_t side = 0; side < 2; ++side) {
            stores[side] = std::make_unique<StreamStore>(std::size_t{4'096} << random.below(8), 0);
            s.settings[side].store = stores[side].get();
        }
        s.bytes[1] = random.below(100'000);
        std::array<nanoseconds, 2> awake{};
        Simulator simulator{s};
        simulator.on_event = [&](Simulator&, nanoseconds at) {
            for (std::size_t side = 0; side < 2; ++side) {
                if (at >= awake[side]) {
                    take(*stores[side], random.below(20'000));
                    awake[side] =
                        at + microseconds{random.below(random.chance(0.05) ? 2'000'000 : 2'000)};
                }
            }
        };
        const Outcome o = simulator.run();
        ASSERT_EQ(o.fault, "") << describe(s);
        for (std::size_t side = 0; side < 2; ++side) {
            take(*stores[side], kAll);
            const bool gave_up = o.info[0].close_reason == CloseReason::kTimedOut ||
                                 o.info[1].close_reason == CloseReason::kTimedOut;
            ASSERT_TRUE(gave_up || stores[side]->taken() == s.bytes[1 - side]) << describe(s);
        }
    }
}

}  // namespace
}  // namespace dpdkperf::tcp::sim
