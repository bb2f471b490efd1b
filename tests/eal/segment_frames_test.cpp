#include "../../src/engine/patterns.hpp"
#include "../../src/engine/segment_frames.hpp"
#include "dpdkperf/wire/tcp_view.hpp"
#include "ring_port.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

namespace dpdkperf::engine {
namespace {

wire::TcpFlow flow(bool ipv4)
{
    const auto a = *IpAddress::parse(ipv4 ? "10.0.0.1" : "fd00::1");
    const auto b = *IpAddress::parse(ipv4 ? "10.0.0.2" : "fd00::2");
    return {.source_mac = {}, .next_hop = {}, .source = {a, 40000}, .destination = {b, 5201}};
}

// A port that copies payload, as af_xdp's does; the test is the wire, and whoever frees what has
// left.
class SegmentFramesTest : public RingPort {
protected:
    static constexpr std::uint32_t kPeriod = 1448;
    static constexpr auto kPoison = [] {
        std::array<std::byte, 8> poison{};
        poison.fill(std::byte{0xa5});
        return poison;
    }();

    void SetUp() override
    {
        RingPort::SetUp();
        queue_ = {port_->queue_pairs()[0]};
        frames_.emplace(tags_);
        take_all_but_some();
    }

    void TearDown() override
    {
        frames_.reset();
        rte_pktmbuf_free_bulk(kept_.data(), static_cast<unsigned>(kept_.size()));
        RingPort::TearDown();
    }

    // The frame of one packet; the test's.
    rte_mbuf* frame_of(const tcp::StreamContent& content, std::uint64_t offset, std::uint32_t bytes,
        bool ipv4 = true, bool sack = false)
    {
        tcp::Segment segment;
        segment.header.flags = wire::kTcpAck;
        segment.header.options.timestamps = {1, 2};
        if (sack) {
            segment.header.options.sack_count = 1;
        }
        segment.stream_offset = offset;
        segment.payload_bytes = segment.packet_payload_bytes = bytes;
        if (!frames_->ready(queue_)) {
            return nullptr;
        }
        frames_->add(segment, ipv4 ? v4_ : v6_, &content, queue_);
        frames_->send(queue_);
        return sent(0);
    }

    // As a poller leaves what it has received to the pool.
    void forget(rte_mbuf& mbuf) const { tags_.of(mbuf) = 0; }

    static std::span<std::byte> payload_of(const rte_mbuf& mbuf, std::uint32_t bytes)
    {
        return std::span{rte_pktmbuf_mtod(&mbuf, std::byte*), mbuf.data_len}.last(bytes);
    }

    static bool checksum_ok(const rte_mbuf& mbuf)
    {
        const auto view = wire::parse_tcp(
            {rte_pktmbuf_mtod(&mbuf, const std::byte*), mbuf.data_len}, mbuf.pkt_len);
        return view.fault == wire::TcpFault::kNone && wire::tcp_checksum_ok(view);
    }

    // How often a period is sent with something else in it, because it was there already.
    int count_stale(const tcp::StreamContent& content, bool forgetting)
    {
        int stale = 0;
        for (std::uint64_t i = 0; i < kRounds; ++i) {
            rte_mbuf* const mbuf = frame_of(content, i * kPeriod, kPeriod);
            if (mbuf == nullptr) {
                ADD_FAILURE() << "nothing was sent";
                break;
            }
            const auto head = payload_of(*mbuf, kPeriod).first<kPoison.size()>();
            stale += std::ranges::equal(head, kPoison) ? 1 : 0;
            std::ranges::copy(kPoison, head.begin());
            if (forgetting) {
                forget(*mbuf);
            }
            rte_pktmbuf_free(mbuf);
        }
        return stale;
    }

    static constexpr std::uint64_t kRounds = 2'000;
    const TagField tags_ = TagField::find();
    const Patterns patterns_{nullptr};
    const tcp::Pattern& pattern_ = patterns_.of(traffic::Filler::kRandom);
    const tcp::Pattern& digits_ = patterns_.of(traffic::Filler::kDigits);
    const wire::TcpFrameWriter v4_{flow(true)}, v6_{flow(false)};
    PollerQueue queue_;
    std::optional<SegmentFrames> frames_;

private:
    // So that those that are left come again soon.
    void take_all_but_some()
    {
        constexpr unsigned kLeft = 256;
        kept_.resize(rte_mempool_avail_count(pool(0)) - kLeft);
        ASSERT_EQ(
            rte_pktmbuf_alloc_bulk(pool(0), kept_.data(), static_cast<unsigned>(kept_.size())), 0);
    }

    std::vector<rte_mbuf*> kept_;
};

TEST_F(SegmentFramesTest, LeaveAPeriodWhereItIs)
{
    const tcp::StreamContent content{{}, pattern_, kPeriod};
    EXPECT_GT(count_stale(content, false), static_cast<int>(kRounds) / 2);
}

TEST_F(SegmentFramesTest, WriteItAgainWhereSomethingElseWasReceived)
{
    const tcp::StreamContent content{{}, pattern_, kPeriod};
    EXPECT_EQ(count_stale(content, true), 0);
}

TEST_F(SegmentFramesTest, CopyWhatDoesNotRepeatFromSegmentToSegment)
{
    const tcp::StreamContent content{{}, pattern_};
    EXPECT_EQ(count_stale(content, false), 0);
}

// All that an mbuf can hold meets all that is sent next.
TEST_F(SegmentFramesTest, CarryTheirOwnContentWhateverWasThere)
{
    const std::vector<std::byte> cookie(37, std::byte{'c'});
    std::vector<std::byte> file(40'000);
    std::mt19937 random{3};
    std::generate(file.begin(), file.end(), [&] { return static_cast<std::byte>(random()); });
    const std::array contents{tcp::StreamContent{cookie, pattern_, kPeriod},
        tcp::StreamContent{{}, pattern_, kPeriod}, tcp::StreamContent{{}, pattern_, 948},
        tcp::StreamContent{{}, pattern_}, tcp::StreamContent{cookie, digits_},
        tcp::StreamContent{cookie, file}};
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    for (int i = 0; i < 5'000; ++i) {
        const auto& content = contents[below(contents.size())];
        const bool ipv4 = below(4) != 0, sack = below(4) == 0;
        const std::uint32_t bytes = std::array{kPeriod, 948U, 1 + below(kPeriod)}[below(3)];
        const std::uint64_t offset =
            below(3) == 0 ? below(20'000) : std::uint64_t{bytes} * below(9);
        rte_mbuf* const mbuf = frame_of(content, offset, bytes, ipv4, sack);
        ASSERT_NE(mbuf, nullptr);
        std::vector<std::byte> want;
        while (want.size() < bytes) {
            const auto piece = content.piece(
                offset + want.size(), bytes - static_cast<std::uint32_t>(want.size()));
            want.insert(want.end(), piece.begin(), piece.end());
        }
        ASSERT_TRUE(std::ranges::equal(payload_of(*mbuf, bytes), want)) << i;
        ASSERT_TRUE(checksum_ok(*mbuf)) << i;
        rte_pktmbuf_free(mbuf);
    }
}

}  // namespace
}  // namespace dpdkperf::engine
