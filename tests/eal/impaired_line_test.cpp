#include "../../src/engine/impaired_line.hpp"
#include "ring_port.hpp"

#include <array>
#include <cstring>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

namespace dpdkperf::engine {
namespace {

// What tells of an mbuf's content must not outlive that content, whichever way the packet goes.
class ImpairedLineTest : public RingPort {
protected:
    static constexpr Tag kOurs = make_tag(7, 8);

    ImpairedLine line(const char* text)
    {
        impair::Plan plan;
        EXPECT_TRUE(impair::add(plan, text));
        return {plan, 0, tags_};
    }

    // An mbuf that we have sent from and the driver receives into.
    rte_mbuf* received()
    {
        rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool(0));
        std::memset(rte_pktmbuf_append(mbuf, 100), 1, 100);
        tags_.of(*mbuf) = kOurs;
        EXPECT_EQ(rte_ring_enqueue(rx_[0], mbuf), 0);
        return mbuf;
    }

    [[nodiscard]] const ports::QueuePair& queue() const { return port_->queue_pairs()[0]; }

    TagField tags_ = TagField::find();
    std::array<rte_mbuf*, ports::kMostBurst> mbufs_{};
};

TEST_F(ImpairedLineTest, WhatIsLostOnItsWayInIsNoLongerWhatWeSent)
{
    auto lossy = line("rx:loss=100%");
    rte_mbuf* const mbuf = received();
    EXPECT_EQ(lossy.receive(queue(), mbufs_.data()), 0);
    EXPECT_EQ(lossy.received().lost, 1U);
    EXPECT_EQ(tags_.of(*mbuf), 0U);  // its memory stays the pool's
}

TEST_F(ImpairedLineTest, WhatNobodyAsksForAnyMoreIsNoLongerWhatWeSent)
{
    auto slow = line("rx:delay=1s");
    rte_mbuf* const mbuf = received();
    EXPECT_EQ(slow.receive(queue(), mbufs_.data()), 0);
    slow.forget_received();
    EXPECT_EQ(tags_.of(*mbuf), 0U);
}

TEST_F(ImpairedLineTest, ACopyHoldsOnlyWhatThePacketIsLong)
{
    auto doubling = line("tx:dup=100%");
    rte_mbuf* sent_mbuf = rte_pktmbuf_alloc(pool(0));
    std::memset(rte_pktmbuf_append(sent_mbuf, 100), 1, 100);
    tags_.of(*sent_mbuf) = kOurs;
    ASSERT_EQ(doubling.transmit(queue(), &sent_mbuf, 1), 1);
    while (doubling.flush(queue())) {
    }
    for (int i = 0; i < 2; ++i) {
        rte_mbuf* const left = sent(0);
        ASSERT_NE(left, nullptr);
        EXPECT_EQ(tags_.of(*left), left == sent_mbuf ? kOurs : 0U);
        rte_pktmbuf_free(left);
    }
}

}  // namespace
}  // namespace dpdkperf::engine
