// Runs all tests of this program once for every fault that the engine can be given
// (src/tcp/fault.hpp) and fails if one of them is not noticed: a fault that survives is a missing
// test.
//
// test_tcp_faults          all faults
// test_tcp_faults NUMBER   one of them, with its output
#include "fault.hpp"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

dpdkperf::tcp::Fault& active()
{
    static dpdkperf::tcp::Fault fault = dpdkperf::tcp::Fault::kNone;
    return fault;
}

constexpr unsigned kPatienceSeconds = 120;  // a test that never ends has noticed something too

// True if all tests pass. In a child, because a fault may end in an assertion.
bool passes(int fault, bool quiet)
{
    const pid_t child = fork();
    if (child == 0) {
        if (quiet) {
            const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
            dup2(nowhere, STDOUT_FILENO);
            dup2(nowhere, STDERR_FILENO);
        }
        alarm(kPatienceSeconds);
        active() = static_cast<dpdkperf::tcp::Fault>(fault);
        GTEST_FLAG_SET(fail_fast, quiet);
        const int result = RUN_ALL_TESTS();
        std::fflush(stdout);
        _exit(result);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

namespace dpdkperf::tcp {

bool faulty(Fault fault) noexcept
{
    return fault == active();
}

}  // namespace dpdkperf::tcp

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (argc > 1) {
        return passes(std::atoi(argv[1]), false) ? 0 : 1;
    }
    if (!passes(0, true)) {
        std::puts("the tests fail without any fault");
        return 1;
    }
    int survivors = 0;
    constexpr int kFaults = static_cast<int>(dpdkperf::tcp::Fault::kCount);
    for (int fault = 1; fault < kFaults; ++fault) {
        if (passes(fault, true)) {
            std::printf("fault %d is not noticed by any test\n", fault);
            ++survivors;
        }
    }
    std::printf("%d faults, %d not noticed\n", kFaults - 1, survivors);
    return survivors == 0 ? 0 : 1;
}
