#include "streams.hpp"

#include <array>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

namespace dpdkperf::control {
namespace {

using traffic::Direction;
using namespace std::chrono_literals;

proto::Parameters parameters(std::uint32_t parallel)
{
    proto::Parameters p;
    p.transport = proto::Transport::kUdp;
    p.parallel = parallel;
    p.block_bytes = 1000;
    return p;
}

std::string directions(const proto::Parameters& p, bool server)
{
    const std::vector<std::uint16_t> ports(p.streams(), 1);
    std::string text;
    for (const auto& spec : stream_specs(p, server, ports, 5201)) {
        text += spec.direction == Direction::kSend ? 's' : 'r';
    }
    return text;
}

TEST(Streams, TheClientsSendersComeFirst)
{
    proto::Parameters p = parameters(2);
    EXPECT_EQ(directions(p, false), "ss");
    EXPECT_EQ(directions(p, true), "rr");
    p.reverse = true;
    EXPECT_EQ(directions(p, false), "rr");
    EXPECT_EQ(directions(p, true), "ss");
    p.reverse = false;
    p.bidirectional = true;
    EXPECT_EQ(directions(p, false), "ssrr");
    EXPECT_EQ(directions(p, true), "rrss");
}

TEST(Streams, ShareALimitExactly)
{
    struct Case {
        std::uint64_t bytes, blocks;
        std::uint32_t parallel;
        std::vector<std::uint64_t> shares;
    };
    const Case cases[] = {
        {0, 0, 2, {0, 0}}, {1000, 0, 1, {1}}, {1001, 0, 1, {2}}, {10'000, 0, 3, {4, 3, 3}},
        {0, 100, 3, {34, 33, 33}}, {0, 1, 2, {1, 1}},  // 0 would be no limit
    };
    for (const Case& c : cases) {
        proto::Parameters p = parameters(c.parallel);
        p.bytes = c.bytes;
        p.blocks = c.blocks;
        p.bidirectional = true;
        const std::vector<std::uint16_t> ports(p.streams(), 1);
        std::vector<std::uint64_t> shares;
        for (const auto& spec : stream_specs(p, false, ports, 5201)) {
            if (spec.direction == Direction::kSend) {
                shares.push_back(spec.max_datagrams);
            }
        }
        EXPECT_EQ(shares, c.shares);
    }
}

TEST(Streams, HaveNoLimitOfTheirOwnWithOmitOrAtAServer)
{
    proto::Parameters p = parameters(1);
    p.blocks = 10;
    p.reverse = true;
    const std::vector<std::uint16_t> ports{1};
    EXPECT_EQ(stream_specs(p, true, ports, 0)[0].max_datagrams, 0U);
    p.reverse = false;
    p.omit = 1s;
    EXPECT_EQ(stream_specs(p, false, ports, 0)[0].max_datagrams, 0U);
}

TEST(Streams, CarryWhatWasAgreed)
{
    proto::Parameters p = parameters(1);
    p.counters_64bit = true;
    p.repeating_payload = true;
    p.tos = 0xb8;
    p.flow_label = 0xabcde;
    p.rate = BitRate::from_gbps(10);
    p.burst = 32;
    const std::vector<std::uint16_t> ports{4321};
    const auto spec = stream_specs(p, false, ports, 5201)[0];
    EXPECT_EQ(spec.local_port, 4321);
    EXPECT_EQ(spec.remote_port, 5201);
    EXPECT_EQ(spec.datagram.value, 1000U);
    EXPECT_TRUE(spec.counters_64bit);
    EXPECT_EQ(spec.filler, traffic::Filler::kDigits);
    EXPECT_EQ(spec.tos, 0xb8);
    EXPECT_EQ(spec.flow_label, 0xabcdeU);
    EXPECT_EQ(spec.rate, BitRate::from_gbps(10));
    EXPECT_EQ(spec.burst, 32U);
}

TEST(Streams, OfUdpArePacedToTheLowerOfTheTwoRates)
{
    struct Case {
        std::uint64_t rate, fq_rate, udp, tcp;
    };
    for (const Case& c :
        {Case{5, 0, 5, 5}, {5, 3, 3, 5}, {5, 9, 5, 5}, {0, 3, 3, 0}, {0, 0, 0, 0}}) {
        proto::Parameters p = parameters(1);
        p.rate = BitRate::from_gbps(c.rate);
        p.fq_rate = BitRate::from_gbps(c.fq_rate);
        const std::vector<std::uint16_t> ports{1};
        EXPECT_EQ(stream_specs(p, false, ports, 0)[0].rate, BitRate::from_gbps(c.udp));
        p.transport = proto::Transport::kTcp;
        EXPECT_EQ(stream_specs(p, false, ports, 0)[0].rate, BitRate::from_gbps(c.tcp));
    }
}

TEST(Streams, OfTcpAreLimitedInWrites)
{
    proto::Parameters p;
    p.parallel = 2;
    p.bytes = 3 * p.block_bytes - 1;
    const std::vector<std::uint16_t> ports{1, 2};
    const auto specs = stream_specs(p, false, ports, 5201);
    EXPECT_EQ(specs[0].datagram.value, 131'072U);
    EXPECT_EQ(specs[0].max_datagrams, 2U);
    EXPECT_EQ(specs[1].max_datagrams, 1U);
}

TEST(TcpSpec, CarriesWhatWasAgreed)
{
    proto::Parameters p;
    p.mss_bytes = 1400;
    p.window_bytes = 4 << 20;
    p.no_delay = true;
    p.congestion = "reno";
    p.fq_rate = BitRate::from_gbps(12);
    const auto spec = tcp_spec(p, {});
    EXPECT_EQ(spec.mss_bytes, 1400U);
    EXPECT_EQ(spec.window_bytes, 4U << 20);
    EXPECT_TRUE(spec.no_delay);
    EXPECT_EQ(spec.congestion, traffic::Congestion::kReno);
    EXPECT_EQ(spec.max_pacing_rate, BitRate::from_gbps(12));
}

TEST(TcpSpec, HasTheCookieAsOnTheWire)
{
    const std::array<std::uint8_t, proto::Cookie::kSize - 1> random{1, 2, 3};
    const auto cookie = proto::Cookie::from_random(random);
    const auto spec = tcp_spec({}, cookie);
    std::string sent;
    for (const std::byte byte : spec.cookie) {
        sent += static_cast<char>(byte);
    }
    EXPECT_EQ(sent, std::string{cookie.text()} + '\0');
}

TEST(TcpSpec, IsForCubicUnlessAskedOtherwise)
{
    EXPECT_EQ(tcp_spec({}, {}).congestion, traffic::Congestion::kCubic);
}

}  // namespace
}  // namespace dpdkperf::control
