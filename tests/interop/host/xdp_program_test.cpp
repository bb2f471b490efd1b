#include "child.hpp"
#include "dpdkperf/host/driver_leftovers.hpp"
#include "dpdkperf/host/xdp_program.hpp"
#include "foreign_program.hpp"
#include "lab.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <poll.h>
#include <sys/socket.h>

namespace dpdkperf::host {
namespace {

// Number and kind of whatever this process has open.
std::map<std::string, std::string> open_descriptors()
{
    std::map<std::string, std::string> open;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        const std::string kind = std::filesystem::read_symlink(entry.path());
        if (!kind.starts_with("/proc/")) {  // the listing itself
            open[entry.path().filename()] = kind;
        }
    }
    return open;
}

class XdpProgramTest : public testing::Test {
protected:
    XdpProgramTest() : interface_{*interface_by_name("hx0")}, lock_{*InterfaceLock::acquire("hx0")}
    {
    }

    // The program on hx0: its name, or "none".
    std::string on_interface()
    {
        const auto program = attached_xdp(interface_.index);
        return program && *program ? (*program)->name : "none";
    }
    std::unique_ptr<XdpProgram> attach()
    {
        auto program = XdpProgram::load();
        EXPECT_TRUE(program) << program.error().message;
        const auto attached = (*program)->attach(interface_);
        EXPECT_TRUE(attached) << attached.error().message;
        return *std::move(program);
    }
    int index() { return static_cast<int>(interface_.index); }

    Lab lab_;
    Interface interface_;
    InterfaceLock lock_;
};

TEST_F(XdpProgramTest, ComesAndGoesWithItsObject)
{
    EXPECT_EQ(on_interface(), "none");
    auto program = attach();
    EXPECT_EQ(on_interface(), "dpdkperf_steer");
    EXPECT_NE(interface_by_name("hx0")->xdp_program, 0U);
    program.reset();
    EXPECT_EQ(on_interface(), "none");
    EXPECT_EQ(interface_by_name("hx0")->xdp_program, 0U);
}

TEST_F(XdpProgramTest, GoesWithItsProcessHoweverThatEnds)
{
    Child owner{[&](Child::Signal& ready) {
        const auto program = attach();
        ready.give();
        pause();
    }};
    ASSERT_TRUE(owner.wait_for_signal());
    EXPECT_EQ(on_interface(), "dpdkperf_steer");
    auto watch = NetworkWatch::open();
    ASSERT_TRUE(watch);
    owner.kill();
    // The kernel frees the link a moment after the process was reaped, and says so.
    pollfd changed{watch->fd(), POLLIN, 0};
    while (on_interface() != "none" && poll(&changed, 1, 2000) == 1) {
        watch->drain({});
    }
    EXPECT_EQ(on_interface(), "none");
}

TEST_F(XdpProgramTest, FindsTheHookClear)
{
    const auto cleared = clear_xdp(interface_, lock_);
    EXPECT_TRUE(cleared) << cleared.error().message;
}

TEST_F(XdpProgramTest, LeavesAForeignProgramAndSaysWhoseItIs)
{
    for (const std::uint32_t mode : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE}) {
        attach_program("firewall", index(), mode);
        const std::string id = std::to_string((*attached_xdp(interface_.index))->id);
        const auto cleared = clear_xdp(interface_, lock_);
        ASSERT_FALSE(cleared);
        EXPECT_EQ(cleared.error().code, Errc::kBusy);
        EXPECT_EQ(cleared.error().message, "interface hx0 already has XDP program 'firewall' (id " +
                                               id +
                                               "); remove it with 'ip link set dev hx0 xdp off'");

        auto program = XdpProgram::load();
        ASSERT_TRUE(program);
        const auto attached = (*program)->attach(interface_);
        ASSERT_FALSE(attached);
        EXPECT_EQ(attached.error().code, Errc::kBusy);
        EXPECT_EQ(on_interface(), "firewall");
        bpf_xdp_detach(index(), mode, nullptr);
    }
}

TEST_F(XdpProgramTest, RemovesALeftoverOfOurs)
{
    for (const std::uint32_t mode : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE}) {
        attach_program("dpdkperf_pass", index(), mode);
        const auto cleared = clear_xdp(interface_, lock_);
        EXPECT_TRUE(cleared) << cleared.error().message;
        EXPECT_EQ(on_interface(), "none");
    }
}

TEST_F(XdpProgramTest, CannotRemoveWhatARunningProcessHolds)
{
    const auto running = attach();
    const auto cleared = clear_xdp(interface_, lock_);
    ASSERT_FALSE(cleared);
    EXPECT_EQ(cleared.error().code, Errc::kBusy);
    EXPECT_NE(cleared.error().message.find("is held by a running process"), std::string::npos);
    EXPECT_EQ(on_interface(), "dpdkperf_steer");
}

TEST_F(XdpProgramTest, DetachesExactlyTheProgramThatWasMeant)
{
    attach_program("dpdkperf_pass", index());
    const auto program = attached_xdp(interface_.index);
    ASSERT_TRUE(program && *program);
    EXPECT_TRUE(detach_xdp(interface_.index, (*program)->id + 1));
    EXPECT_EQ(on_interface(), "dpdkperf_pass");
    EXPECT_TRUE(detach_xdp(interface_.index, (*program)->id));
    EXPECT_EQ(on_interface(), "none");
    EXPECT_TRUE(detach_xdp(interface_.index, (*program)->id));
}

// What DPDK's driver does with the path (rte_eth_af_xdp.c, load_custom_xdp_prog(), 22.11).
TEST_F(XdpProgramTest, HandsTheDriverAnObjectItCanLoad)
{
    const auto file = HandoverObject::create();
    ASSERT_TRUE(file) << file.error().message;
    bpf_object* const object = bpf_object__open_file(file->path().c_str(), nullptr);
    ASSERT_NE(object, nullptr);
    EXPECT_EQ(bpf_object__load(object), 0);
    EXPECT_GE(bpf_object__find_map_fd_by_name(object, "xsks_map"), 0);
    EXPECT_STREQ(bpf_program__name(bpf_object__next_program(object, nullptr)), "dpdkperf_pass");
    bpf_object__close(object);
}

TEST_F(XdpProgramTest, ClosesWhatTheDriverLoadedAndNothingElse)
{
    const auto ours = XdpProgram::load();
    ASSERT_TRUE(ours) << ours.error().message;
    const auto before = open_descriptors();
    const auto load_one = [] {
        const auto file = HandoverObject::create();
        bpf_object* const object =
            file ? bpf_object__open_file(file->path().c_str(), nullptr) : nullptr;
        EXPECT_TRUE(object != nullptr && bpf_object__load(object) == 0);
        return object;
    };
    const auto loaded = {load_one(), load_one()};
    EXPECT_GE(open_descriptors().size(), before.size() + 4);  // programs and their maps
    release_handover_programs();
    EXPECT_EQ(open_descriptors(), before);
    std::ranges::for_each(loaded, bpf_object__close);  // no more than memory by now
}

TEST_F(XdpProgramTest, ListsAfXdpSocketsAndNoOthers)
{
    EXPECT_TRUE(af_xdp_sockets().empty());
    const UniqueFd udp{socket(AF_INET, SOCK_DGRAM, 0)};
    const UniqueFd first{socket(AF_XDP, SOCK_RAW, 0)};
    const UniqueFd second{socket(AF_XDP, SOCK_RAW, 0)};
    ASSERT_TRUE(first && second);
    EXPECT_EQ(af_xdp_sockets(), (std::vector<int>{first.get(), second.get()}));
}

TEST_F(XdpProgramTest, RefusesWhatIsNoSocketOrNoQueue)
{
    const auto program = attach();
    const UniqueFd udp{socket(AF_INET, SOCK_DGRAM, 0)};
    EXPECT_FALSE(program->set_socket(0, udp.get()));
    const UniqueFd xdp{socket(AF_XDP, SOCK_RAW, 0)};
    EXPECT_FALSE(program->set_socket(XdpProgram::kMaxQueues, xdp.get()));
    EXPECT_TRUE(program->set_socket(XdpProgram::kMaxQueues - 1, xdp.get()));
}

TEST_F(XdpProgramTest, SaysWhenTheMapsAreFull)
{
    const auto program = attach();
    const Endpoint local{*IpAddress::parse("10.9.0.1"), 5201};
    Status claimed;
    std::uint32_t n = 0;
    while (claimed && n < 10'000) {
        claimed = program->claim_peer(IpProtocol::kUdp, local, IpAddress::from_v4(++n));
    }
    // 256 streams of a session, four sessions at a time.
    EXPECT_GE(n, 1024U);
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().message.find("claim packets from 0.0."), 0U)
        << claimed.error().message;
}

}  // namespace
}  // namespace dpdkperf::host
