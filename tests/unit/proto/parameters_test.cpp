#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/parameters.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::proto {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

Parameters parsed(std::string_view document)
{
    auto result = parse_parameters(document);
    if (auto* failure = std::get_if<Failure>(&result)) {
        ADD_FAILURE() << document << ": " << to_string(*failure);
        return {};
    }
    return std::get<Parameters>(result);
}

TEST(Parameters, OfIperf312AreRead)
{
    // Captured from iperf3 3.12.
    const Parameters p = parsed(
        R"({"udp":true,"omit":2,"time":0,"num":1073741824,"blockcount":0,"MSS":1400,"parallel":4,)"
        R"("bidirectional":true,"window":1048576,"len":1400,"bandwidth":100000000000,)"
        R"("fqrate":12000000000,"pacing_timer":1000,"burst":32,"TOS":32,"title":"tt",)"
        R"("extra_data":"ee","congestion":"cubic","udp_counters_64bit":1,"dont_fragment":1,)"
        R"("client_version":"3.12"})");
    EXPECT_EQ(p.transport, Transport::kUdp);
    EXPECT_EQ(p.omit, 2s);
    EXPECT_EQ(p.time, 0s);
    EXPECT_EQ(p.bytes, 1073741824U);
    EXPECT_EQ(p.parallel, 4U);
    EXPECT_EQ(p.streams(), 8U);
    EXPECT_TRUE(p.bidirectional);
    EXPECT_FALSE(p.reverse);
    EXPECT_EQ(p.window_bytes, 1048576U);
    EXPECT_EQ(p.block_bytes, 1400U);
    EXPECT_EQ(p.rate, BitRate::from_gbps(100));
    EXPECT_EQ(p.fq_rate, BitRate::from_gbps(12));
    EXPECT_EQ(p.burst, 32U);
    EXPECT_EQ(p.tos, 32U);
    EXPECT_EQ(p.title, "tt");
    EXPECT_TRUE(p.counters_64bit);
    EXPECT_TRUE(p.dont_fragment);
    EXPECT_EQ(p.client_version, "3.12");
}

TEST(Parameters, OfATcpTestOfIperf312AreRead)
{
    // Captured from iperf3 3.12; "flowlabel" and "congestion_used", which it sends in other tests,
    // were added.
    const Parameters p = parsed(
        R"({"tcp":true,"omit":2,"server_affinity":1,"time":5,"num":0,"blockcount":0,"MSS":1400,)"
        R"("nodelay":true,"parallel":4,"window":1048576,"len":131072,"bandwidth":10000000000,)"
        R"("fqrate":12000000000,"pacing_timer":1000,"burst":32,"TOS":32,"flowlabel":7,)"
        R"("title":"tt","extra_data":"ee","congestion":"cubic","congestion_used":"cubic",)"
        R"("get_server_output":1,"repeating_payload":1,"zerocopy":1,"client_version":"3.12"})");
    EXPECT_EQ(p.transport, Transport::kTcp);
    EXPECT_EQ(p.mss_bytes, 1400U);
    EXPECT_TRUE(p.no_delay);
    EXPECT_EQ(p.window_bytes, 1048576U);
    EXPECT_EQ(p.block_bytes, 131072U);
    EXPECT_EQ(p.rate, BitRate::from_gbps(10));
    EXPECT_EQ(p.fq_rate, BitRate::from_gbps(12));
    EXPECT_EQ(p.congestion, "cubic");
    EXPECT_TRUE(p.zerocopy);
    EXPECT_EQ(p.flow_label, 7U);
    EXPECT_EQ(p.server_cpu, 1U);
}

TEST(Parameters, OfIperf321AreRead)
{
    const Parameters p =
        parsed(R"({"udp":true,"omit":0,"time":10,"num":0,"blockcount":0,"parallel":1,"len":1000,)"
               R"("pacing_timer":1000,"gso":1,"gso_dg_size":1000,"gso_bf_size":65000,"gro":1,)"
               R"("gro_bf_size":65507,"client_version":"3.21+"})");
    EXPECT_EQ(p.rate, BitRate{});
    EXPECT_EQ(p.time, 10s);
    EXPECT_TRUE(p.gsro);
}

TEST(Parameters, WithoutKeysAreATenSecondTcpTest)
{
    const Parameters p = parsed("{}");
    EXPECT_EQ(p.transport, Transport::kTcp);
    EXPECT_EQ(p.time, 10s);
    EXPECT_EQ(p.block_bytes, 131072U);
    EXPECT_EQ(p.parallel, 1U);
}

TEST(Parameters, PresenceTurnsOnWhateverTheValue)
{
    EXPECT_TRUE(parsed(R"({"reverse":false})").reverse);
    EXPECT_TRUE(parsed(R"({"udp_counters_64bit":0})").counters_64bit);
    EXPECT_EQ(parsed(R"({"udp":false,"len":16})").transport, Transport::kUdp);
    EXPECT_EQ(
        parsed(R"({"sctp":true,"udp":true,"tcp":true,"len":16})").transport, Transport::kSctp);
}

TEST(Parameters, UnknownKeysAndFractionsAreTaken)
{
    const Parameters p = parsed(R"({"udp":true,"len":1000.9,"time":2.5,"flavour":[{"a":1}]})");
    EXPECT_EQ(p.block_bytes, 1000U);
    EXPECT_EQ(p.time, 2s);
}

TEST(Parameters, OutOfRangeOrOfTheWrongTypeAreRefusedWithIperf3sNumber)
{
    struct Case {
        std::string_view document;
        IperfError number;
        std::string_view detail;
    };
    const Case cases[] = {
        {R"([])", IperfError::kReceiveParameters, "not a JSON object"},
        {R"(5)", IperfError::kReceiveParameters, "not a JSON object"},
        {R"({"udp":true)", IperfError::kReceiveParameters, "not a JSON object"},
        {R"({"a":[[[[[[1]]]]]]})", IperfError::kReceiveParameters, "not a JSON object"},
        {"{\"title\":\"\xff\"}", IperfError::kReceiveParameters, "not a JSON object"},
        {R"({"time":1e999})", IperfError::kReceiveParameters, "not a JSON object"},
        {R"({"title":5})", IperfError::kReceiveParameters, R"("title":5)"},
        {R"({"udp":1})", IperfError::kReceiveParameters, R"("udp":1)"},
        {R"({"reverse":0})", IperfError::kReceiveParameters, R"("reverse":0)"},
        {R"({"parallel":"2"})", IperfError::kReceiveParameters, R"("parallel":"2")"},
        {R"({"parallel":500})", IperfError::kStreamCount, R"("parallel":500)"},
        {R"({"parallel":0})", IperfError::kStreamCount, R"("parallel":0)"},
        {R"({"omit":601})", IperfError::kOmit, R"("omit":601)"},
        {R"({"omit":-1})", IperfError::kOmit, R"("omit":-1)"},
        {R"({"time":86401})", IperfError::kDuration, R"("time":86401)"},
        {R"({"window":536870913})", IperfError::kWindow, R"("window":536870913)"},
        {R"({"TOS":256})", IperfError::kTos, R"("TOS":256)"},
        {R"({"burst":0})", IperfError::kBurst, R"("burst":0)"},
        {R"({"burst":1001})", IperfError::kBurst, R"("burst":1001)"},
        {R"({"MSS":32768})", IperfError::kMss, R"("MSS":32768)"},
        {R"({"len":1048577})", IperfError::kBlockSize, R"("len":1048577)"},
        {R"({"len":-1})", IperfError::kBlockSize, R"("len":-1)"},
        {R"({"udp":true,"len":15})", IperfError::kUdpBlockSize, R"("len":15)"},
        {R"({"udp":true,"len":65508})", IperfError::kUdpBlockSize, R"("len":65508)"},
        {R"({"udp":true})", IperfError::kUdpBlockSize, R"("len":null)"},
        {R"({"bandwidth":18446744073709551615})", IperfError::kReceiveParameters,
            R"("bandwidth":18446744073709551615)"},
        {R"({"num":-1})", IperfError::kReceiveParameters, R"("num":-1)"},
        {R"({"fqrate":-1})", IperfError::kReceiveParameters, R"("fqrate":-1)"},
        {R"({"zerocopy":2})", IperfError::kReceiveParameters, R"("zerocopy":2)"},
        {R"({"nodelay":1})", IperfError::kReceiveParameters, R"("nodelay":1)"},
        {R"({"congestion":5})", IperfError::kReceiveParameters, R"("congestion":5)"},
        {R"({"len":0})", IperfError::kBlockSize, R"("len":0)"},
        {R"({"gso":2})", IperfError::kReceiveParameters, R"("gso":2)"},
        {R"({"flowlabel":0})", IperfError::kSetFlowLabel, R"("flowlabel":0)"},
        {R"({"flowlabel":1048576})", IperfError::kSetFlowLabel, R"("flowlabel":1048576)"},
        {R"({"pacing_timer":-1})", IperfError::kReceiveParameters, R"("pacing_timer":-1)"},
        {R"({"skip_rx_copy":2})", IperfError::kReceiveParameters, R"("skip_rx_copy":2)"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.document);
        const auto result = parse_parameters(c.document);
        const auto* failure = std::get_if<Failure>(&result);
        ASSERT_NE(failure, nullptr);
        EXPECT_EQ(failure->number, c.number);
        EXPECT_EQ(failure->detail, c.detail);
    }
}

TEST(Parameters, ARefusalNamesTheLimitThatIsHeld)
{
    EXPECT_EQ(parsed(R"({"MSS":32767})").mss_bytes, 32767U);
    const auto result = parse_parameters(R"({"MSS":32768})");
    EXPECT_EQ(to_string(std::get<Failure>(result)),
        R"(TCP MSS too large (maximum = 32767 bytes): "MSS":32768)");
}

TEST(Parameters, LongForeignValuesAreCutInMessages)
{
    const std::string document = R"({"parallel":")" + std::string(5000, 'x') + "\"}";
    const auto result = parse_parameters(document);
    EXPECT_LT(std::get<Failure>(result).detail.size(), 60U);
}

// CPU 0 is a wish as well.
TEST(Parameters, ACpuOfTheServerIsPassedOn)
{
    Parameters p;
    p.server_cpu = 0;
    const std::string document = *to_document(p);
    EXPECT_EQ(json::parse(document).at("server_affinity"), 0);
    EXPECT_EQ(std::get<Parameters>(parse_parameters(document)).server_cpu, 0U);
    const auto refused = parse_parameters(R"({"tcp":true,"server_affinity":1025})");
    EXPECT_EQ(std::get<Failure>(refused).number, IperfError::kSetAffinity);
}

TEST(Parameters, WhatIsOffIsLeftOut)
{
    Parameters p;
    p.transport = Transport::kUdp;
    p.block_bytes = 1448;
    const json document = json::parse(*to_document(p));
    for (const char* key : {"reverse", "bidirectional", "udp_counters_64bit", "repeating_payload",
             "get_server_output", "nodelay", "burst", "TOS", "window", "bandwidth", "tcp", "MSS",
             "fqrate", "zerocopy", "congestion", "skip_rx_copy", "server_affinity", "flowlabel"}) {
        EXPECT_FALSE(document.contains(key)) << key;
    }
    // A 3.21 server keeps the previous client's wish for keys that do not come.
    EXPECT_EQ(document.at("gso"), 0);
    EXPECT_EQ(document.at("gro"), 0);
    EXPECT_EQ(document.at("udp"), true);
    EXPECT_EQ(document.at("pacing_timer"), 1000);
}

// As iperf 3.21 sends it for --gsro -l 1000; with 16 bytes the kernel's 128 are the limit.
TEST(Parameters, OfGsoAndGroAreThoseOfIperf321)
{
    Parameters p;
    p.transport = Transport::kUdp;
    p.gsro = true;
    p.block_bytes = 1000;
    json document = json::parse(*to_document(p));
    EXPECT_EQ(document.at("gso"), 1);
    EXPECT_EQ(document.at("gso_dg_size"), 1000);
    EXPECT_EQ(document.at("gso_bf_size"), 65'000);
    EXPECT_EQ(document.at("gro"), 1);
    EXPECT_EQ(document.at("gro_bf_size"), 65'507);
    p.block_bytes = 16;
    EXPECT_EQ(json::parse(*to_document(p)).at("gso_bf_size"), 2048);
    p.transport = Transport::kTcp;
    EXPECT_FALSE(json::parse(*to_document(p)).contains("gso"));
}

TEST(Parameters, NeverAskToSkipTheCopyOfDatagrams)
{
    Parameters p;
    p.skip_rx_copy = true;
    EXPECT_EQ(json::parse(*to_document(p)).at("skip_rx_copy"), 1);
    p.transport = Transport::kUdp;
    EXPECT_FALSE(json::parse(*to_document(p)).contains("skip_rx_copy"));
}

TEST(Parameters, SurviveTheWayThereAndBack)
{
    Parameters p;
    p.transport = Transport::kUdp;
    p.omit = 3s;
    p.time = 0s;
    p.blocks = 77;
    p.parallel = 128;
    p.bidirectional = true;
    p.block_bytes = 64;
    p.rate = BitRate::from_gbps(200);
    p.burst = 1000;
    p.tos = 0xb8;
    p.window_bytes = 4 << 20;
    p.counters_64bit = true;
    p.repeating_payload = true;
    p.flow_label = 0xfffff;
    p.dont_fragment = true;
    p.gsro = true;
    p.pacing_timer = 250us;
    p.client_version = "x";
    EXPECT_EQ(parsed(*to_document(p)), p);
}

TEST(Parameters, OfTcpSurviveTheWayThereAndBack)
{
    Parameters p;
    p.mss_bytes = 9216;
    p.no_delay = true;
    p.window_bytes = 1 << 20;
    p.block_bytes = 1 << 20;
    p.fq_rate = BitRate::from_gbps(200);
    p.congestion = "reno";
    p.zerocopy = true;
    p.skip_rx_copy = true;
    EXPECT_EQ(parsed(*to_document(p)), p);

    const json document = json::parse(*to_document(p));
    EXPECT_EQ(document.at("tcp"), true);
    EXPECT_EQ(document.at("nodelay"), true);
    EXPECT_EQ(document.at("zerocopy"), 1);
    EXPECT_FALSE(document.contains("gso"));
}

TEST(Parameters, AboveTheLimitOfServersAreNotSent)
{
    Parameters p;
    p.title = std::string(kMaxParametersBytes, 't');
    const auto document = to_document(p);
    ASSERT_FALSE(document);
    EXPECT_NE(document.error().message.find("servers accept 8192"), std::string::npos);
}

}  // namespace
}  // namespace dpdkperf::proto
