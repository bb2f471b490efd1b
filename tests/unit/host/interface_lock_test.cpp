#include "child.hpp"
#include "dpdkperf/host/interface_lock.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace dpdkperf::host {
namespace {

// Of this process, so that nothing else on the machine is in the way.
std::string name(const char* interface)
{
    return interface + std::to_string(getpid());
}

TEST(InterfaceLock, SecondOwnerLearnsThePidOfTheFirst)
{
    const auto first = InterfaceLock::acquire(name("a"));
    ASSERT_TRUE(first) << first.error().message;

    const auto second = InterfaceLock::acquire(name("a"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kBusy);
    EXPECT_EQ(second.error().message,
        "interface " + name("a") + " is used by dpdkperf with pid " + std::to_string(getpid()));
}

TEST(InterfaceLock, InterfacesDoNotDisturbEachOther)
{
    const auto first = InterfaceLock::acquire(name("a"));
    EXPECT_TRUE(first && InterfaceLock::acquire(name("b")));
}

TEST(InterfaceLock, EndsWithItsObject)
{
    ASSERT_TRUE(InterfaceLock::acquire(name("a")));
    EXPECT_TRUE(InterfaceLock::acquire(name("a")));
}

TEST(InterfaceLock, IsFreeAgainAfterItsOwnerWasKilled)
{
    const std::string interface = name("a");
    Child owner{[&](Child::Signal& ready) {
        const auto lock = InterfaceLock::acquire(interface);
        ready.give();
        pause();
    }};
    owner.wait_for_signal();
    ASSERT_FALSE(InterfaceLock::acquire(interface));
    owner.kill();
    EXPECT_TRUE(InterfaceLock::acquire(interface));
}

TEST(InterfaceLock, AnotherNamespaceMayHaveAnInterfaceOfTheSameName)
{
    const std::string interface = name("a");
    const auto here = InterfaceLock::acquire(interface);
    ASSERT_TRUE(here);
    Child there{[&](Child::Signal& good) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && !InterfaceLock::acquire(interface)) {
            return;
        }
        good.give();
    }};
    EXPECT_TRUE(there.wait_for_signal());
}

}  // namespace
}  // namespace dpdkperf::host
