#include "child.hpp"
#include "dpdkperf/host/interface_lock.hpp"
#include "temporary_directory.hpp"

#include <fstream>

#include <gtest/gtest.h>

namespace dpdkperf::host {
namespace {

namespace fs = std::filesystem;

class InterfaceLockTest : public testing::Test {
protected:
    Result<InterfaceLock> acquire(const std::string& name)
    {
        return InterfaceLock::acquire(name, directory());
    }
    std::string directory() { return (temporary_.path() / "locks").string(); }

private:
    TemporaryDirectory temporary_;
};

TEST_F(InterfaceLockTest, SecondOwnerLearnsThePidOfTheFirst)
{
    const auto first = acquire("veth0");
    ASSERT_TRUE(first) << first.error().message;

    const auto second = acquire("veth0");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kBusy);
    EXPECT_EQ(second.error().message,
        "interface veth0 is used by dpdkperf with pid " + std::to_string(getpid()));
}

TEST_F(InterfaceLockTest, InterfacesDoNotDisturbEachOther)
{
    const auto first = acquire("veth0");
    EXPECT_TRUE(acquire("veth1"));
}

TEST_F(InterfaceLockTest, LeavesNothingBehind)
{
    {
        const auto lock = acquire("veth0");
        ASSERT_TRUE(lock);
        EXPECT_TRUE(fs::exists(lock->path()));
    }
    EXPECT_FALSE(fs::exists(directory()));
}

TEST_F(InterfaceLockTest, IsFreeAgainAfterItsOwnerWasKilled)
{
    Child owner{[&](Child::Signal& ready) {
        const auto lock = acquire("veth0");
        ready.give();
        pause();
    }};
    owner.wait_for_signal();
    ASSERT_FALSE(acquire("veth0"));
    owner.kill();
    EXPECT_TRUE(acquire("veth0"));
}

TEST_F(InterfaceLockTest, LeftoverIsRemovedOnlyWhileNobodyOwnsIt)
{
    const auto lock = acquire("veth0");
    ASSERT_TRUE(lock);
    remove_lock_file(lock->path());
    EXPECT_TRUE(fs::exists(lock->path()));

    const std::string leftover = lock->path() + ".leftover";
    std::ofstream{leftover} << "1";
    remove_lock_file(leftover);
    EXPECT_FALSE(fs::exists(leftover));
    remove_lock_file(leftover);  // a second time there is nothing to do
}

TEST_F(InterfaceLockTest, SaysWhichDirectoryCannotBeMade)
{
    const auto lock = InterfaceLock::acquire("veth0", "/proc/dpdkperf");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().message.find("create /proc/dpdkperf: "), 0U) << lock.error().message;
}

}  // namespace
}  // namespace dpdkperf::host
