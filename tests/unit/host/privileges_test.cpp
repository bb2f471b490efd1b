#include "child.hpp"
#include "dpdkperf/host/privileges.hpp"

#include <atomic>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace dpdkperf::host {
namespace {

using enum Capability;

// Runs `check` in a child, which has the privileges of root, in a user namespace if need be.
template <class Check>
bool holds_with_privileges(Check check)
{
    Child child{[&](Child::Signal& good) {
        if (permitted().empty() && unshare(CLONE_NEWUSER) != 0) {
            return;
        }
        if (check()) {
            good.give();
        }
    }};
    return child.wait_for_signal();
}

TEST(Capabilities, AreWrittenAsTheKernelNamesThem)
{
    EXPECT_EQ(to_string(Capabilities{kBpf, kNetAdmin}), "CAP_NET_ADMIN, CAP_BPF");
    EXPECT_EQ(to_string(Capabilities::from_bits(1U << 21)), "CAP_21");
    EXPECT_EQ(to_string(Capabilities{}), "");
    EXPECT_EQ((Capabilities{kNetAdmin, kBpf} - Capabilities{kBpf}), Capabilities{kNetAdmin});
}

TEST(Privileges, ThatAreLackingAreNamed)
{
    EXPECT_TRUE(holds_with_privileges([] {
        (void)keep_in_this_thread({kNetAdmin, kNetRaw});
        const auto status = require({kNetAdmin, kNetRaw, kBpf}, "attaching");
        return permitted() == Capabilities{kNetAdmin, kNetRaw} && !status &&
               status.error().code == Errc::kPermission &&
               status.error().message ==
                   "attaching needs CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF; this process lacks "
                   "CAP_BPF (run it as root, or see docs/privileges.md)";
    }));
}

TEST(Privileges, DoNotComeBack)
{
    EXPECT_TRUE(holds_with_privileges([] {
        (void)keep_in_this_thread({kNetRaw});
        return keep_in_this_thread({kNetRaw, kNetAdmin}) && permitted() == Capabilities{kNetRaw};
    }));
}

TEST(Privileges, OfAllThreadsAreGivenUp)
{
    EXPECT_TRUE(holds_with_privileges([] {
        std::atomic<int> good{0};
        std::atomic<bool> given_up{false};
        const auto body = [&](Capabilities expected) {
            given_up.wait(false);
            good += permitted() == expected ? 1 : 0;
        };
        std::jthread wide{body, Capabilities{kNetRaw}};
        std::jthread narrow{[&] {
            (void)keep_in_this_thread({});
            body({});
        }};
        const bool done{keep_in_all_threads({kNetRaw})};
        given_up = true;
        given_up.notify_all();
        wide.join();
        narrow.join();
        return done && good == 2;
    }));
}

TEST(Privileges, OfAThreadThatHearsNoSignalAreAnError)
{
    EXPECT_TRUE(holds_with_privileges([] {
        std::atomic<bool> is_deaf{false};
        std::jthread deaf{[&](const std::stop_token& stop) {
            prctl(PR_SET_NAME, "deaf");
            sigset_t all{};
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, nullptr);
            is_deaf = true;
            is_deaf.notify_one();
            while (!stop.stop_requested()) {
                std::this_thread::yield();
            }
        }};
        is_deaf.wait(false);
        const auto status = keep_in_all_threads({});
        deaf.request_stop();
        return !status && status.error().message == "thread 'deaf' does not give up its privileges";
    }));
}

TEST(Privileges, OnlyBecomeFewerInAConfinedProcess)
{
    EXPECT_TRUE(holds_with_privileges([] {
        return confine_process() && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
               prctl(PR_CAPBSET_READ, static_cast<unsigned long>(kNetAdmin), 0, 0, 0) == 0;
    }));
}

TEST(Account, ThatDoesNotExistIsNamed)
{
    const auto root = account_named("root");
    ASSERT_TRUE(root) << root.error().message;
    EXPECT_EQ(root->user, 0U);
    const auto nobody = account_named("no-such-user");
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().message, "there is no user 'no-such-user'");
}

TEST(Account, NeedsPrivilegesToBecome)
{
    EXPECT_TRUE(holds_with_privileges([] {
        (void)keep_in_this_thread({kSetgid});
        const auto status = become({"somebody", 1234, 1234});
        return !status && status.error().message.find("lacks CAP_SETUID") != std::string::npos;
    }));
}

}  // namespace
}  // namespace dpdkperf::host
