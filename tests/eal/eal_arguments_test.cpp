#include "dpdkperf/ports/eal.hpp"

#include <gtest/gtest.h>

namespace dpdkperf::ports {
namespace {

using Arguments = std::vector<std::string>;

TEST(EalArguments, NeverPutNoHugeAndInMemoryTogether)
{
    // DPDK 22.11 refuses both at once.
    EXPECT_EQ(eal_arguments({.cpu = 3, .memory_mb = 64, .hugepages = true, .file_prefix = "p"}),
        (Arguments{"dpdkperf", "-l", "3", "-m", "64", "--no-pci", "--no-telemetry",
            "--iova-mode=va", "--file-prefix=p", "--log-level=error", "--in-memory"}));
    const auto plain = eal_arguments({.cpu = 0, .memory_mb = 256, .file_prefix = "p"});
    EXPECT_EQ((Arguments{plain.end() - 2, plain.end()}), (Arguments{"--no-huge", "--no-shconf"}));
}

TEST(EalArguments, CompleteTheUsersOwn)
{
    struct Case {
        Arguments user;
        bool hugepages;
        Arguments added;
    };
    const Case cases[] = {
        {{"-l", "0-3"}, true,
            {"--in-memory", "--iova-mode=va", "--no-telemetry", "--file-prefix=p",
                "--log-level=error", "--no-pci"}},
        {{"-l", "0-3"}, false,
            {"--no-huge", "--no-shconf", "-m256", "--iova-mode=va", "--no-telemetry",
                "--file-prefix=p", "--log-level=error", "--no-pci"}},
        {{"-m", "512"}, false,
            {"--no-huge", "--no-shconf", "-l2", "--iova-mode=va", "--no-telemetry",
                "--file-prefix=p", "--log-level=error", "--no-pci"}},
        {{"--lcores=0@1", "--vdev=net_memif0,role=client"}, true,
            {"--in-memory", "--iova-mode=va", "--single-file-segments", "--no-telemetry",
                "--file-prefix=p", "--log-level=error", "--no-pci"}},
        {{"-a", "5e:00.0"}, true,
            {"--in-memory", "-l2", "--no-telemetry", "--file-prefix=p", "--log-level=error"}},
        {{"--huge-dir=/mnt", "-c", "3", "-a", "0000:5e:00.0", "--iova-mode=pa", "--file-prefix",
             "mine", "--log-level=8", "--telemetry"},
            true, {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(testing::PrintToString(c.user));
        Arguments expected{"dpdkperf"};
        expected.insert(expected.end(), c.user.begin(), c.user.end());
        expected.insert(expected.end(), c.added.begin(), c.added.end());
        EXPECT_EQ(eal_arguments(c.user,
                      {.cpu = 2, .memory_mb = 256, .hugepages = c.hugepages, .file_prefix = "p"}),
            expected);
    }
}

TEST(EalArguments, KnowWhetherTheUserNamesADevice)
{
    EXPECT_TRUE(names_a_device({"-l", "0-1", "--vdev", "net_memif0"}));
    EXPECT_TRUE(names_a_device({"--vdev=net_memif0"}));
    EXPECT_TRUE(names_a_device({"-a", "5e:00.0"}));
    EXPECT_TRUE(names_a_device({"--allow=5e:00.0"}));
    EXPECT_FALSE(names_a_device({}));
    EXPECT_FALSE(names_a_device({"-l", "0-1", "--no-pci", "-m", "64"}));
}

}  // namespace
}  // namespace dpdkperf::ports
