#include "../../drivers/complete_checksum.hpp"
#include "dpdkperf/wire/udp_headers.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "eal_environment.hpp"

#include <cstring>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

namespace dpdkperf::drivers {
namespace {

class CompleteChecksum : public testing::Test {
protected:
    void SetUp() override
    {
        test_eal().run([this] {
            pool_ = rte_pktmbuf_pool_create("checksums", 31, 0, 0, 2048, SOCKET_ID_ANY);
        });
        ASSERT_NE(pool_, nullptr);
    }
    void TearDown() override { rte_mempool_free(pool_); }

    // A datagram whose checksum field holds something else.
    rte_mbuf* datagram(bool ipv4, std::uint64_t flags, std::uint16_t second_segment_bytes = 0) const
    {
        const auto a = *IpAddress::parse(ipv4 ? "10.0.0.1" : "fd00::1");
        const auto b = *IpAddress::parse(ipv4 ? "10.0.0.2" : "fd00::2");
        constexpr std::uint16_t kPayload = 101;
        const wire::UdpHeaders headers{
            {.source_mac = {}, .next_hop = {}, .source = {a, 4000}, .destination = {b, 53}},
            kPayload};
        rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool_);
        const auto bytes = static_cast<std::uint16_t>(headers.bytes().size());
        std::memcpy(rte_pktmbuf_append(mbuf, bytes), headers.bytes().data(), bytes);
        const auto first = static_cast<std::uint16_t>(kPayload - second_segment_bytes);
        std::memset(rte_pktmbuf_append(mbuf, first), 0x5a, first);
        *rte_pktmbuf_mtod_offset(mbuf, std::uint16_t*, headers.checksum_offset()) = 0x1234;
        if (second_segment_bytes != 0) {
            rte_mbuf* const tail = rte_pktmbuf_alloc(pool_);
            std::memset(rte_pktmbuf_append(tail, second_segment_bytes), 0x5a, second_segment_bytes);
            rte_pktmbuf_chain(mbuf, tail);
        }
        mbuf->ol_flags = flags;
        return mbuf;
    }

    static bool is_right(const rte_mbuf* mbuf)
    {
        std::vector<std::byte> frame(mbuf->pkt_len);
        std::memcpy(
            frame.data(), rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, frame.data()), mbuf->pkt_len);
        const auto view = wire::parse_udp(frame);
        return view.fault == wire::UdpFault::kNone && wire::udp_checksum_ok(view);
    }

    rte_mempool* pool_ = nullptr;
};

TEST_F(CompleteChecksum, SumsWhatTheDeviceVouchedForInBothFamiliesAndInPieces)
{
    for (const bool ipv4 : {true, false}) {
        for (const std::uint16_t second : {std::uint16_t{0}, std::uint16_t{40}}) {
            SCOPED_TRACE(testing::Message() << ipv4 << " " << second);
            rte_mbuf* const mbuf = datagram(ipv4, RTE_MBUF_F_RX_L4_CKSUM_NONE, second);
            ASSERT_FALSE(is_right(mbuf));
            complete_checksum(*mbuf);
            EXPECT_TRUE(is_right(mbuf));
            rte_pktmbuf_free(mbuf);
        }
    }
}

TEST_F(CompleteChecksum, LeavesWrongOnesToTheKernel)
{
    for (const std::uint64_t flags :
        {std::uint64_t{RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN}, std::uint64_t{RTE_MBUF_F_RX_L4_CKSUM_BAD},
            std::uint64_t{RTE_MBUF_F_RX_L4_CKSUM_GOOD}}) {
        rte_mbuf* const mbuf = datagram(true, flags);
        complete_checksum(*mbuf);
        EXPECT_FALSE(is_right(mbuf)) << flags;
        rte_pktmbuf_free(mbuf);
    }
}

TEST_F(CompleteChecksum, ReadsNothingBehindAShortFrame)
{
    for (const bool ipv4 : {true, false}) {
        rte_mbuf* const whole = datagram(ipv4, RTE_MBUF_F_RX_L4_CKSUM_NONE);
        for (std::uint16_t bytes = 0; bytes < 62; ++bytes) {
            rte_mbuf* const mbuf = rte_pktmbuf_copy(whole, pool_, 0, bytes == 0 ? 1 : bytes);
            mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
            complete_checksum(*mbuf);
            rte_pktmbuf_free(mbuf);
        }
        rte_pktmbuf_free(whole);
    }
}

}  // namespace
}  // namespace dpdkperf::drivers
