#include "dpdkperf/host/keeper.hpp"
#include "dpdkperf/host/xdp_program.hpp"
#include "foreign_program.hpp"
#include "lab.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::host {
namespace {

constexpr std::uint32_t kIndex = 10;  // hx0

std::string program_after_undoing(const DetachXdp& action)
{
    auto keeper = Keeper::start();
    EXPECT_TRUE(keeper && keeper->undo(action) && keeper->release());
    const auto program = attached_xdp(kIndex);
    return program && *program ? (*program)->name : "none";
}

// Such as the driver leaves there when its process is killed at the wrong moment.
TEST(KeeperOfXdp, DetachesAProgramThatHangsOnNoLink)
{
    const Lab lab;
    EXPECT_EQ(program_after_undoing({kIndex}), "none");
    attach_program("dpdkperf_pass", kIndex);
    EXPECT_EQ(program_after_undoing({kIndex}), "none");
}

TEST(KeeperOfXdp, MindsThatTheInterfaceIsGone)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    ASSERT_TRUE(keeper->undo(DetachXdp{4711}));
    EXPECT_TRUE(keeper->release());
}

}  // namespace
}  // namespace dpdkperf::host
