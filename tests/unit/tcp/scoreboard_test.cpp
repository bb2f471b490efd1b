#include "byte_set.hpp"
#include "random.hpp"
#include "received_ranges.hpp"
#include "scoreboard.hpp"
#include "slot_bits.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::tcp {
namespace {

// The scoreboard as plainly as can be: one record per slot, for ever.
class Model {
public:
    struct Slot {
        bool sacked = false, lost = false, again = false, ever = false;
    };
    std::vector<Slot> slots;
    std::uint64_t first = 0;

    [[nodiscard]] std::uint32_t pipe() const
    {
        std::uint32_t n = 0;
        for (std::uint64_t i = first; i < slots.size(); ++i) {
            n += (slots[i].again || (!slots[i].sacked && !slots[i].lost)) ? 1U : 0U;
        }
        return n;
    }
    void deliver(std::uint64_t from, std::uint64_t to)
    {
        for (std::uint64_t i = from; i < to; ++i) {
            slots[i].sacked = true;
            slots[i].lost = slots[i].again = false;
        }
    }
};

class Pair {
public:
    explicit Pair(std::uint64_t seed) : random_{seed} { board_.reset(0, kBytes); }

    void step()
    {
        switch (random_.below(7)) {
        case 0:
        case 1:
            send();
            break;
        case 2:
            acknowledge();
            break;
        case 3:
            sack();
            break;
        case 4:
            lose();
            break;
        case 5:
            repair();
            break;
        default:
            rare();
        }
        check();
    }

private:
    static constexpr std::uint32_t kBytes = 100;
    static constexpr auto kAll = [](const Sent&) { return true; };

    void send()
    {
        const std::uint64_t n = random_.below(std::min<std::uint64_t>(board_.free_slots() + 1, 20));
        if (n > 0) {
            board_.sent_new(board_.nxt() + static_cast<Offset>(n * kBytes), 1);
            model_.slots.resize(model_.slots.size() + n);
        }
    }

    void acknowledge()
    {
        const Offset bytes = board_.nxt() - board_.una();
        const Offset to = board_.una() +
                          static_cast<Offset>(random_.below(static_cast<std::uint64_t>(bytes) + 1));
        if (to > board_.una()) {
            const std::uint64_t first = static_cast<std::uint64_t>(to) / kBytes;
            std::uint32_t fresh = 0;
            for (std::uint64_t i = model_.first; i < first; ++i) {
                fresh += model_.slots[i].sacked ? 0U : 1U;
            }
            EXPECT_EQ(board_.acknowledge(to, kAll).slots, fresh);
            model_.deliver(model_.first, first);
            model_.first = first;
        }
    }

    void sack()
    {
        const auto bytes = static_cast<std::uint64_t>(board_.nxt() - board_.una());
        const Offset a = board_.una() + static_cast<Offset>(random_.below(bytes + 1));
        const Offset b = board_.una() + static_cast<Offset>(random_.below(bytes + 1));
        const Range block{std::min(a, b), std::max(a, b)};
        const auto from = static_cast<std::uint64_t>(block.left + kBytes - 1) / kBytes;
        const auto to = static_cast<std::uint64_t>(block.right) / kBytes;
        board_.sack(block, kAll);
        model_.deliver(from, std::max(from, to));
    }

    void lose()
    {
        const std::uint64_t slot =
            board_.next_unmarked(board_.first() + random_.below(board_.out() + 1U));
        if (slot < board_.end()) {
            EXPECT_FALSE(model_.slots[slot].sacked || model_.slots[slot].lost);
            board_.mark_lost(slot);
            model_.slots[slot].lost = true;
        }
    }

    void repair()
    {
        const auto run = board_.next_lost(5);
        std::uint64_t expected = model_.first;
        while (expected < model_.slots.size() &&
               (!model_.slots[expected].lost || model_.slots[expected].again)) {
            ++expected;
        }
        ASSERT_EQ(run.has_value(), expected < model_.slots.size());
        if (run) {
            EXPECT_EQ(run->slot, expected);
            board_.sent_again(run->slot, run->count, 2);
            for (std::uint64_t i = run->slot; i < run->slot + run->count; ++i) {
                model_.slots[i].again = model_.slots[i].ever = true;
            }
        }
    }

    void rare()
    {
        switch (random_.below(8)) {
        case 0:
            board_.mark_all_lost();
            for (std::uint64_t i = model_.first; i < model_.slots.size(); ++i) {
                model_.slots[i].again = false;
                model_.slots[i].lost = !model_.slots[i].sacked;
            }
            break;
        case 1:
            board_.unmark_lost();
            for (std::uint64_t i = model_.first; i < model_.slots.size(); ++i) {
                model_.slots[i].lost = model_.slots[i].again;
            }
            break;
        case 2:
            board_.forget_sacks();
            for (std::uint64_t i = model_.first; i < model_.slots.size(); ++i) {
                model_.slots[i].sacked = false;
            }
            break;
        default:
            for (std::uint64_t i = model_.first; i < model_.slots.size(); ++i) {
                if (model_.slots[i].again && random_.chance(0.3)) {
                    board_.mark_lost_again(i);
                    model_.slots[i].again = false;
                }
            }
        }
    }

    void check()
    {
        ASSERT_STREQ(board_.broken_invariant(), nullptr);
        ASSERT_EQ(board_.pipe(), model_.pipe());
        ASSERT_EQ(board_.first(), model_.first);
        ASSERT_EQ(board_.end(), model_.slots.size());
        for (std::uint64_t i = model_.first; i < model_.slots.size(); ++i) {
            ASSERT_EQ(board_.is_sacked(i), model_.slots[i].sacked) << i;
            ASSERT_EQ(board_.is_lost(i), model_.slots[i].lost) << i;
            ASSERT_EQ(board_.is_retransmitted(i), model_.slots[i].again) << i;
            ASSERT_EQ(board_.was_retransmitted(i), model_.slots[i].ever) << i;
        }
    }

    sim::Random random_;
    Scoreboard board_{128};
    Model model_;
};

TEST(Scoreboard, AgreesWithAListOfSlots)
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Pair pair{seed};
        for (int i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) {
            pair.step();
        }
    }
}

TEST(SlotBits, PassOverSetBitsOnlyAndOverWholeWordsOfThem)
{
    sim::Random random{3};
    for (int i = 0; i < 2'000; ++i) {
        SlotBits bits{512};
        const std::uint64_t base = random.below(5'000);  // wherever it lies in the ring
        const std::uint64_t hole = random.below(512);
        for (std::uint64_t k = 0; k < 512; ++k) {
            if (k != hole) {
                bits.set(base + k);
            }
        }
        const std::uint64_t from = base + random.below(512);
        const std::uint64_t to = from + random.below(base + 512 - from + 1);
        const std::uint64_t at = bits.skip_set(from, to);
        ASSERT_GE(at, from);
        ASSERT_LE(at, to);
        const bool crosses = from <= base + hole && base + hole < at;
        ASSERT_FALSE(crosses) << base << " " << hole << " " << from << " " << to;
        const bool hole_ahead = from <= base + hole && base + hole < to;
        ASSERT_LT((hole_ahead ? base + hole : to) - at, 64U + 64U);
    }
}

TEST(Scoreboard, SendsAPartOfASlotAndThenTheRest)
{
    const auto all = [](const Sent&) { return true; };
    Scoreboard board{64};
    board.reset(0, 1'448);
    board.sent_new(37, 1);
    EXPECT_EQ(board.out(), 1U);
    EXPECT_EQ(board.next_start(), 37);
    board.sent_new(1'448, 2);
    EXPECT_EQ(board.out(), 1U);
    board.sent_new(1'500, 3);
    board.acknowledge(1'500, all);
    EXPECT_EQ(board.out(), 0U);
    board.sent_new(2'000, 4);
    EXPECT_EQ(board.out(), 1U);
    board.mark_lost(board.first());
    EXPECT_EQ(board.next_start(), 1'500);  // what was lost goes out with what is new
    EXPECT_STREQ(board.broken_invariant(), nullptr);
}

// Insertions at random into `space` bytes: few of them are refused, or many.
void compare_ranges(std::uint64_t seed, int insertions, std::uint64_t space, std::uint64_t length)
{
    sim::Random random{seed};
    ReceivedRanges ranges;
    sim::ByteSet taken;
    for (int i = 0; i < insertions; ++i) {
        const auto left = static_cast<Offset>(random.below(space));
        const Range bytes{left, left + 1 + static_cast<Offset>(random.below(length))};
        const bool known = taken.contains(bytes.left, bytes.right);
        const auto in = ranges.insert(bytes);
        if (in.outcome == ReceivedRanges::Outcome::kRefused) {
            EXPECT_EQ(ranges.ranges().size(), ReceivedRanges::kMax);
        } else {
            taken.add(bytes.left, bytes.right);
            EXPECT_EQ(in.outcome == ReceivedRanges::Outcome::kDuplicate, known);
        }
        if (in.duplicate_bytes) {
            EXPECT_TRUE(taken.contains(in.duplicate.left, in.duplicate.right));
        }
        ASSERT_STREQ(ranges.broken_invariant(), nullptr);
        ASSERT_EQ(ranges.next(), taken.in_order());
        for (const Range& r : ranges.ranges()) {
            ASSERT_TRUE(taken.contains(r.left, r.right));
        }
    }
}

TEST(ReceivedRanges, AgreeWithASetOfBytes)
{
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        compare_ranges(seed, 500, 4'000, 40);
    }
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        compare_ranges(seed, 2'000, 20'000, 3);
    }
}

TEST(ReceivedRanges, ReportTheLatestChangeFirst)
{
    ReceivedRanges ranges;
    for (const Offset at : {100, 300, 500, 700, 900}) {
        ranges.insert({at, at + 50});
    }
    ranges.insert({150, 160});
    std::array<Range, 4> report;
    ASSERT_EQ(ranges.report(report), 4U);
    EXPECT_EQ(report[0], (Range{100, 160}));
    EXPECT_EQ(report[1], (Range{900, 950}));
    EXPECT_EQ(report[2], (Range{700, 750}));
}

}  // namespace
}  // namespace dpdkperf::tcp
