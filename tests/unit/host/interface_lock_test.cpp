#include "child.hpp"
#include "dpdkperf/host/interface_lock.hpp"
#include "dpdkperf/host/unique_fd.hpp"

#include <cstddef>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

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

TEST(InterfaceLock, NobodyWaitsForAStrangerThatHasTheName)
{
    const std::string path = "dpdkperf/" + name("a");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto length = path.copy(&address.sun_path[1], sizeof address.sun_path - 1);
    const UniqueFd stranger{socket(AF_UNIX, SOCK_STREAM, 0)};
    ASSERT_EQ(bind(stranger.get(), reinterpret_cast<const sockaddr*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length)),
        0);
    const auto lock = InterfaceLock::acquire(name("a"));
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().message,
        "interface " + name("a") + " is locked by a process that does not say who it is");
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
