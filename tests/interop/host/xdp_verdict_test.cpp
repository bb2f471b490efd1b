// What the XDP program decides about frames of all shapes, by BPF_PROG_TEST_RUN: the kernel runs
// the attached program on bytes of ours.

#include "dpdkperf/base/endian.hpp"
#include "dpdkperf/host/xdp_program.hpp"
#include "ip.hpp"
#include "lab.hpp"
#include "steer_maps.h"

#include <array>
#include <cstring>
#include <span>

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace dpdkperf::host {
namespace {

using Bytes = std::vector<std::byte>;

Endpoint at(std::string_view address, std::uint16_t port)
{
    return {ip(address), port};
}

constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;  // RFC 9293, 3.1

// A frame from `remote` to `local` and the ways in which it is unusual.
struct Frame {
    Endpoint remote, local;
    std::uint8_t protocol = 17;
    std::uint8_t tcp_flags = 0;
    std::uint16_t fragment = 0;    // IPv4's flags and offset
    std::size_t option_bytes = 0;  // IPv4
    bool vlan = false;
    std::uint16_t ethertype = 0;     // 0: as the address wants it
    std::uint8_t first_ip_byte = 0;  // 0: version and header length as they should be
};

void put16(Bytes& to, std::uint16_t value)
{
    to.push_back(std::byte(value >> 8));
    to.push_back(std::byte(value & 0xff));
}

void put_ipv4(Bytes& to, const Frame& f)
{
    const auto ihl = static_cast<std::uint8_t>(5 + f.option_bytes / 4);
    Bytes header(20 + f.option_bytes);
    header[0] = std::byte(f.first_ip_byte != 0 ? f.first_ip_byte : 0x40 | ihl);
    store_be<std::uint16_t>(&header[6], f.fragment);
    header[9] = std::byte(f.protocol);
    store_be<std::uint32_t>(&header[12], f.remote.address.v4());
    store_be<std::uint32_t>(&header[16], f.local.address.v4());
    to.insert(to.end(), header.begin(), header.end());
}

void put_ipv6(Bytes& to, const Frame& f)
{
    Bytes header(40);
    header[0] = std::byte(f.first_ip_byte != 0 ? f.first_ip_byte : 0x60);
    header[6] = std::byte(f.protocol);
    std::memcpy(&header[8], f.remote.address.v6_bytes().data(), 16);
    std::memcpy(&header[24], f.local.address.v6_bytes().data(), 16);
    to.insert(to.end(), header.begin(), header.end());
}

Bytes bytes_of(const Frame& f)
{
    Bytes bytes(12);
    if (f.vlan) {
        put16(bytes, 0x8100);
        put16(bytes, 5);
    }
    const bool v4 = f.local.address.is_v4();
    put16(bytes, f.ethertype != 0 ? f.ethertype : v4 ? 0x0800 : 0x86dd);
    v4 ? put_ipv4(bytes, f) : put_ipv6(bytes, f);
    put16(bytes, f.remote.port);
    put16(bytes, f.local.port);
    bytes.resize(bytes.size() + 16);  // the rest of a TCP header, or UDP's and a payload
    bytes[bytes.size() - 7] = std::byte{f.tcp_flags};
    return bytes;
}

class XdpVerdictTest : public testing::Test {
protected:
    XdpVerdictTest() : program_{*XdpProgram::load()}
    {
        if (!program_->attach(*interface_by_name("hx0"))) {
            throw std::runtime_error{"attach"};
        }
        running_ = UniqueFd{bpf_prog_get_fd_by_id((*attached_xdp(10))->id)};
    }

    // XDP_PASS, XDP_DROP or XDP_REDIRECT. `queue`: where the frame came in.
    std::uint32_t verdict(const Bytes& frame, std::uint32_t queue = 0)
    {
        xdp_md context{};
        context.data_end = static_cast<std::uint32_t>(frame.size());
        context.ingress_ifindex = 10;
        context.rx_queue_index = queue;
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        options.ctx_in = &context;
        options.ctx_size_in = sizeof context;
        EXPECT_EQ(bpf_prog_test_run_opts(running_.get(), &options), 0);
        return options.retval;
    }
    std::uint32_t verdict(const Frame& frame) { return verdict(bytes_of(frame)); }

    // The last heartbeat was `age` ago.
    void age_heartbeat(std::chrono::nanoseconds age)
    {
        const auto then = std::chrono::steady_clock::now().time_since_epoch() - age;
        const SteerOwner owner{static_cast<std::uint64_t>(then.count())};
        const std::uint32_t only = 0;
        const UniqueFd map = map_of_program("owner");
        ASSERT_EQ(bpf_map_update_elem(map.get(), &only, &owner, BPF_ANY), 0);
    }

    UniqueFd map_of_program(std::string_view name)
    {
        std::array<std::uint32_t, 16> ids{};
        bpf_prog_info info{};
        info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
        info.nr_map_ids = ids.size();
        std::uint32_t length = sizeof info;
        EXPECT_EQ(bpf_obj_get_info_by_fd(running_.get(), &info, &length), 0);
        for (const std::uint32_t id : std::span{ids}.first(info.nr_map_ids)) {
            UniqueFd map{bpf_map_get_fd_by_id(id)};
            bpf_map_info map_info{};
            length = sizeof map_info;
            bpf_obj_get_info_by_fd(map.get(), &map_info, &length);
            if (map_info.name == name) {
                return map;
            }
        }
        return {};
    }

    Lab lab_;
    std::unique_ptr<XdpProgram> program_;
    UniqueFd running_;
};

const Endpoint kLocal4 = at("10.9.0.1", 5201), kRemote4 = at("10.9.0.2", 40000);
const Endpoint kLocal6 = at("fd09::1", 5201), kRemote6 = at("fd09::2", 40000);

TEST_F(XdpVerdictTest, ClaimedFlowIsRedirectedToTheSocketOfItsQueue)
{
    const UniqueFd socket{::socket(AF_XDP, SOCK_RAW, 0)};
    ASSERT_TRUE(program_->set_socket(0, socket.get()));
    for (const auto& [local, remote] : {std::pair{kLocal4, kRemote4}, {kLocal6, kRemote6}}) {
        const Frame frame{remote, local};
        EXPECT_EQ(verdict(frame), XDP_PASS);
        ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, local, remote));
        EXPECT_EQ(verdict(frame), XDP_REDIRECT);
        program_->release_flow(IpProtocol::kUdp, local, remote);
        EXPECT_EQ(verdict(frame), XDP_PASS);
    }
    EXPECT_EQ(program_->stray().packets, 0U);
}

TEST_F(XdpVerdictTest, ClaimedPacketWithoutASocketIsDroppedAndCounted)
{
    run("ip link del hx0");
    run("ip link add hx0 index 10 numrxqueues 4 numtxqueues 4 type veth peer name hx1");
    run("ethtool -L hx0 rx 3 tx 3");
    ASSERT_TRUE(program_->attach(*interface_by_name("hx0")));
    const UniqueFd socket{::socket(AF_XDP, SOCK_RAW, 0)};
    ASSERT_TRUE(program_->set_socket(0, socket.get()));
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal4, kRemote4));
    const auto frame = bytes_of({kRemote4, kLocal4});
    EXPECT_EQ(verdict(frame, 0), XDP_REDIRECT);
    EXPECT_EQ(verdict(frame, 1), XDP_DROP);
    EXPECT_EQ(verdict(frame, 2), XDP_DROP);
    EXPECT_EQ(verdict(frame, 2), XDP_DROP);
    EXPECT_EQ(program_->stray().packets, 3U);
    EXPECT_EQ(program_->stray().queue, 2U);
}

TEST_F(XdpVerdictTest, SilentOwnerGivesEverythingBackToTheKernel)
{
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal4, kRemote4));
    const Frame frame{kRemote4, kLocal4};
    using namespace std::chrono_literals;
    for (const auto age : {0ms, 1000ms, 1500ms}) {
        age_heartbeat(age);
        EXPECT_EQ(verdict(frame), XDP_DROP) << age.count() << " ms";
    }
    for (const auto age : {2000ms, 60'000ms}) {
        age_heartbeat(age);
        EXPECT_EQ(verdict(frame), XDP_PASS) << age.count() << " ms";
    }
    program_->heartbeat();
    EXPECT_EQ(verdict(frame), XDP_DROP);
}

// From here on no queue has a socket: what is claimed is dropped.

TEST_F(XdpVerdictTest, ClaimIsExact)
{
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal4, kRemote4));
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal6, kRemote6));
    struct Case {
        const char* what;
        Frame frame;
        xdp_action expected;
    };
    const Case cases[] = {
        {"claimed", {kRemote4, kLocal4}, XDP_DROP},
        {"claimed, IPv6", {kRemote6, kLocal6}, XDP_DROP},
        {"other remote port", {at("10.9.0.2", 40001), kLocal4}, XDP_PASS},
        {"other remote address", {at("10.9.0.3", 40000), kLocal4}, XDP_PASS},
        {"other local port", {kRemote4, at("10.9.0.1", 5202)}, XDP_PASS},
        {"other local address", {kRemote4, at("10.9.0.11", 5201)}, XDP_PASS},
        {"ends exchanged", {kLocal4, kRemote4}, XDP_PASS},
        {"TCP", {.remote = kRemote4, .local = kLocal4, .protocol = 6}, XDP_PASS},
        {"ICMP", {.remote = kRemote4, .local = kLocal4, .protocol = 1}, XDP_PASS},
        {"other address, IPv6", {at("fd09::3", 40000), kLocal6}, XDP_PASS},
        {"TCP, IPv6", {.remote = kRemote6, .local = kLocal6, .protocol = 6}, XDP_PASS},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(verdict(c.frame), c.expected) << c.what;
    }
}

TEST_F(XdpVerdictTest, AddressesAreUnmappedInClaimsAndOnlyIpv4MatchesIpv4)
{
    ASSERT_TRUE(program_->claim_flow(
        IpProtocol::kUdp, at("::ffff:10.9.0.1", 5201), at("::ffff:10.9.0.2", 40000)));
    EXPECT_EQ(verdict({kRemote4, kLocal4}), XDP_DROP);
}

TEST_F(XdpVerdictTest, UnusualFramesStayTheKernels)
{
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal4, kRemote4));
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal6, kRemote6));
    struct Case {
        const char* what;
        Frame frame;
        xdp_action expected;
    };
    const Case cases[] = {
        {"4 bytes of IPv4 options", {.remote = kRemote4, .local = kLocal4, .option_bytes = 4},
            XDP_DROP},
        {"40 bytes of IPv4 options", {.remote = kRemote4, .local = kLocal4, .option_bytes = 40},
            XDP_DROP},
        {"don't fragment", {.remote = kRemote4, .local = kLocal4, .fragment = 0x4000}, XDP_DROP},
        {"first fragment", {.remote = kRemote4, .local = kLocal4, .fragment = 0x2000}, XDP_PASS},
        {"last fragment", {.remote = kRemote4, .local = kLocal4, .fragment = 0x0010}, XDP_PASS},
        {"header of 16 bytes", {.remote = kRemote4, .local = kLocal4, .first_ip_byte = 0x44},
            XDP_PASS},
        {"version 5", {.remote = kRemote4, .local = kLocal4, .first_ip_byte = 0x55}, XDP_PASS},
        {"VLAN", {.remote = kRemote4, .local = kLocal4, .vlan = true}, XDP_PASS},
        {"ARP", {.remote = kRemote4, .local = kLocal4, .ethertype = 0x0806}, XDP_PASS},
        {"IPv6 fragment header", {.remote = kRemote6, .local = kLocal6, .protocol = 44}, XDP_PASS},
        {"IPv6 with version 4", {.remote = kRemote6, .local = kLocal6, .first_ip_byte = 0x40},
            XDP_PASS},
        {"IPv6 with VLAN", {.remote = kRemote6, .local = kLocal6, .vlan = true}, XDP_PASS},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(verdict(c.frame), c.expected) << c.what;
    }
}

TEST_F(XdpVerdictTest, FramesThatEndBeforeTheirPortsStayTheKernels)
{
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal4, kRemote4));
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kUdp, kLocal6, kRemote6));
    ASSERT_TRUE(program_->claim_flow(IpProtocol::kTcp, kLocal4, kRemote4));
    struct Case {
        Frame frame;
        std::size_t needed_bytes;  // to the end of the UDP or TCP header
    };
    const Case cases[] = {
        {{kRemote4, kLocal4}, 14 + 20 + 8},
        {{.remote = kRemote4, .local = kLocal4, .option_bytes = 8}, 14 + 28 + 8},
        {{kRemote6, kLocal6}, 14 + 40 + 8},
        {{.remote = kRemote4, .local = kLocal4, .protocol = 6}, 14 + 20 + 20},
    };
    for (const Case& c : cases) {
        const auto whole = bytes_of(c.frame);
        for (std::size_t length = 14; length <= whole.size(); ++length) {
            EXPECT_EQ(verdict(Bytes(whole.begin(), whole.begin() + static_cast<long>(length))),
                length < c.needed_bytes ? XDP_PASS : XDP_DROP)
                << length << " of " << whole.size() << " bytes";
        }
    }
}

TEST_F(XdpVerdictTest, ClaimedPeerMayUseAnyPort)
{
    ASSERT_TRUE(program_->claim_peer(IpProtocol::kUdp, kLocal4, kRemote4.address));
    EXPECT_EQ(verdict({kRemote4, kLocal4}), XDP_DROP);
    EXPECT_EQ(verdict({at("10.9.0.2", 1), kLocal4}), XDP_DROP);
    EXPECT_EQ(verdict({at("10.9.0.3", 40000), kLocal4}), XDP_PASS);
    EXPECT_EQ(verdict({kRemote4, at("10.9.0.1", 5202)}), XDP_PASS);
    program_->release_peer(IpProtocol::kUdp, kLocal4, kRemote4.address);
    EXPECT_EQ(verdict({kRemote4, kLocal4}), XDP_PASS);
}

TEST_F(XdpVerdictTest, PeerIsClaimedUntilTheLastOfItsTestsIsOver)
{
    ASSERT_TRUE(program_->claim_peer(IpProtocol::kUdp, kLocal4, kRemote4.address));
    ASSERT_TRUE(program_->claim_peer(IpProtocol::kUdp, kLocal4, kRemote4.address));
    program_->release_peer(IpProtocol::kUdp, kLocal4, kRemote4.address);
    EXPECT_EQ(verdict({kRemote4, kLocal4}), XDP_DROP);
    program_->release_peer(IpProtocol::kUdp, kLocal4, kRemote4.address);
    EXPECT_EQ(verdict({kRemote4, kLocal4}), XDP_PASS);
    program_->release_peer(IpProtocol::kUdp, kLocal4, kRemote4.address);
    ASSERT_TRUE(program_->claim_peer(IpProtocol::kUdp, kLocal4, kRemote4.address));
    EXPECT_EQ(verdict({kRemote4, kLocal4}), XDP_DROP);
}

// A stock client's control and data connections go to the same port.
TEST_F(XdpVerdictTest, ClaimedTcpPeerKeepsTheConnectionsItHas)
{
    const auto segment = [](std::uint16_t from, std::uint8_t flags) {
        return Frame{
            .remote = at("10.9.0.2", from), .local = kLocal4, .protocol = 6, .tcp_flags = flags};
    };
    constexpr std::uint16_t control = 40000, data = 40001, stranger = 40002, other_peers = 40003;
    ASSERT_TRUE(program_->claim_peer(IpProtocol::kTcp, kLocal4, kRemote4.address));
    EXPECT_EQ(verdict(segment(control, kAck)), XDP_PASS);
    EXPECT_EQ(verdict(segment(control, kSyn | kAck)), XDP_PASS);
    EXPECT_EQ(verdict(segment(data, kAck)), XDP_PASS);
    EXPECT_EQ(verdict(segment(data, kSyn)), XDP_DROP);
    EXPECT_EQ(verdict(segment(data, kAck)), XDP_DROP);
    EXPECT_EQ(verdict(segment(control, kAck)), XDP_PASS);
    EXPECT_EQ(verdict(segment(stranger, kSyn)), XDP_DROP);
    const Frame third{
        .remote = at("10.9.0.3", other_peers), .local = kLocal4, .protocol = 6, .tcp_flags = kSyn};
    ASSERT_TRUE(program_->claim_peer(IpProtocol::kTcp, kLocal4, third.remote.address));
    EXPECT_EQ(verdict(third), XDP_DROP);

    ASSERT_TRUE(program_->claim_flow(IpProtocol::kTcp, kLocal4, at("10.9.0.2", data)));
    program_->release_peer(IpProtocol::kTcp, kLocal4, kRemote4.address);
    EXPECT_EQ(verdict(segment(data, kAck)), XDP_DROP);
    EXPECT_EQ(verdict(segment(stranger, kAck)), XDP_PASS);
    EXPECT_EQ(verdict(third), XDP_DROP);
    EXPECT_EQ(verdict(segment(data + 1, kSyn)), XDP_PASS);
    program_->release_flow(IpProtocol::kTcp, kLocal4, at("10.9.0.2", data));
    EXPECT_EQ(verdict(segment(data, kAck)), XDP_PASS);
}

}  // namespace
}  // namespace dpdkperf::host
