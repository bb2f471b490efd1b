// Tests that change interfaces: as root, in a network namespace of their own.

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    constexpr int kSkipped = 77;  // for meson
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
        std::fputs("skipped: needs root and network namespaces\n", stderr);
        return kSkipped;
    }
    return RUN_ALL_TESTS();
}
