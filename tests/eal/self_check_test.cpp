#include "dpdkperf/ports/self_check.hpp"
#include "eal_environment.hpp"

#include <optional>

#include <gtest/gtest.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

namespace dpdkperf::ports {
namespace {

// What a driver's function to prepare packets may say.
std::uint16_t take_all(void*, rte_mbuf**, std::uint16_t count)
{
    return count;
}
std::uint16_t refuse_chains(void*, rte_mbuf** mbufs, std::uint16_t)
{
    rte_errno = EINVAL;
    return mbufs[0]->nb_segs > 1 ? 0 : 1;
}
std::uint16_t refuse_tso(void*, rte_mbuf** mbufs, std::uint16_t)
{
    rte_errno = ENOTSUP;
    const bool good = (mbufs[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0;
    return good ? 1 : 0;
}
// As drivers do whose hardware knows a largest chain.
std::uint16_t look_closely(void*, rte_mbuf** mbufs, std::uint16_t)
{
    const rte_mbuf& m = *mbufs[0];
    std::uint32_t bytes = 0;
    for (const rte_mbuf* piece = &m; piece != nullptr; piece = piece->next) {
        bytes += piece->data_len;
    }
    const bool tso = (m.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
    const bool good = bytes == m.pkt_len && rte_mbuf_check(&m, 1, nullptr) == 0 &&
                      rte_validate_tx_offload(&m) == 0 && m.nb_segs == (tso ? 6 : 2) &&
                      (!tso || bytes > 48'000);
    rte_errno = good ? 0 : EINVAL;
    return good ? 1 : 0;
}

class SelfCheckTest : public testing::Test {
protected:
    void open(bool pinned, bool tso)
    {
        test_eal().run([&] {
            const std::string name = "self" + std::to_string(next_++);
            ring_ = rte_ring_create(name.c_str(), 64, SOCKET_ID_ANY, 0);
            const int id = rte_eth_from_rings(name.c_str(), &ring_, 1, &ring_, 1, 0);
            ASSERT_GE(id, 0);
            plan_.pool_mbufs = 511;
            plan_.cache_mbufs = 32;
            plan_.pinned_mbufs = pinned ? 255 : 0;
            plan_.tso = tso;
            auto port = Port::configure(static_cast<std::uint16_t>(id), plan_);
            ASSERT_TRUE(port) << port.error().message;
            ASSERT_TRUE(port->start());
            port_.emplace(*std::move(port));
        });
    }

    // The port after its check, with a driver that answers so.
    QueuePair checked(std::uint16_t (*answer)(void*, rte_mbuf**, std::uint16_t))
    {
        rte_eth_fp_ops[port_->id()].tx_pkt_prepare = answer;
        const auto free = rte_mempool_avail_count(port_->queue_pairs()[0].pool);
        port_->check_itself(plan_);
        EXPECT_EQ(rte_mempool_avail_count(port_->queue_pairs()[0].pool), free);
        EXPECT_EQ(rte_ring_count(ring_), 0U) << "something was sent";
        return port_->queue_pairs()[0];
    }

    void TearDown() override
    {
        test_eal().run([&] {
            port_.reset();
            rte_ring_free(ring_);
        });
    }

    PortPlan plan_;
    std::optional<Port> port_;

private:
    static inline int next_ = 0;
    rte_ring* ring_ = nullptr;
};

TEST_F(SelfCheckTest, TakesAWillingDriverAtItsWord)
{
    open(true, true);
    const QueuePair pair = checked(take_all);
    EXPECT_NE(pair.pinned, nullptr);
    EXPECT_TRUE(pair.tso && plan_.tso);
    EXPECT_EQ(plan_.pinned_mbufs, 255U);
    EXPECT_EQ(plan_.self_check, "the driver takes a segment of 48000 bytes in 6 buffers");
}

TEST_F(SelfCheckTest, AsksForWhatIsSent)
{
    open(true, true);
    EXPECT_TRUE(checked(look_closely).tso) << plan_.self_check;
}

TEST_F(SelfCheckTest, CutsInSoftwareWhereTheDriverDoesNot)
{
    open(true, true);
    const QueuePair pair = checked(refuse_tso);
    EXPECT_NE(pair.pinned, nullptr);
    EXPECT_FALSE(pair.tso || plan_.tso);
    EXPECT_EQ(plan_.self_check,
        "the driver refuses a segment of 48000 bytes in 6 buffers: Operation not supported");
}

TEST_F(SelfCheckTest, CopiesWhereTheDriverTakesNoChains)
{
    open(true, true);
    const QueuePair pair = checked(refuse_chains);
    EXPECT_EQ(pair.pinned, nullptr);
    EXPECT_FALSE(pair.tso || plan_.tso);
    EXPECT_EQ(plan_.pinned_mbufs, 0U);
    EXPECT_EQ(plan_.self_check, "the driver refuses a packet in 2 buffers: Invalid argument");
}

TEST_F(SelfCheckTest, AsksForNothingThatThePlanDoesNotHave)
{
    open(true, false);
    EXPECT_FALSE(checked(refuse_tso).tso);
    EXPECT_EQ(plan_.self_check, "the driver takes a packet in 2 buffers");
}

TEST_F(SelfCheckTest, HasNothingToAskOfOneBufferPerPacket)
{
    open(false, false);
    EXPECT_EQ(checked(refuse_chains).pinned, nullptr);
    EXPECT_EQ(plan_.self_check, "nothing to ask: one buffer per packet");
}

}  // namespace
}  // namespace dpdkperf::ports
