#include "dpdkperf/host/file.hpp"
#include "temporary_directory.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace dpdkperf::host {
namespace {

class ReadFile : public testing::Test {
protected:
    std::string made(const std::string& content)
    {
        const auto path = folder_.path() / "f";
        std::ofstream{path, std::ios::binary} << content;
        return path.string();
    }
    static std::string read(const std::string& path, std::size_t most)
    {
        const auto bytes = read_file(path, most);
        if (!bytes) {
            return bytes.error().message;
        }
        std::string text;
        for (const std::byte b : *bytes) {
            text += static_cast<char>(b);
        }
        return text;
    }

    TemporaryDirectory folder_;
};

TEST_F(ReadFile, HasAllBytesUpToTheLimit)
{
    const std::string all{"a\0b\n", 4};
    EXPECT_EQ(read(made(all), 1000), all);
    EXPECT_EQ(read(made(all), 4), all);
    EXPECT_EQ(read(made(all), 3), made(all) + ": has 4 bytes, and at most 3 can be held in memory");
    EXPECT_EQ(file_bytes(made(all)), 4U);
}

TEST_F(ReadFile, OfUnknownSizeIsReadToItsEnd)
{
    const std::string all(3'000'000, 'x');
    const auto pipe = "cat " + made(all) + " > " + (folder_.path() / "pipe").string() + " &";
    const std::string name = (folder_.path() / "pipe").string();
    ASSERT_EQ(std::system(("mkfifo " + name).c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
    ASSERT_EQ(std::system(pipe.c_str()), 0);                // NOLINT(concurrency-mt-unsafe)
    EXPECT_EQ(read(name, 1 << 30), all);
    EXPECT_EQ(read("/dev/zero", 2'000'000),
        "/dev/zero: has too many bytes, and at most 2000000 can be held in memory");
    EXPECT_FALSE(file_bytes("/dev/zero"));
}

TEST_F(ReadFile, IsNamedWhenItCannotBeRead)
{
    EXPECT_EQ(read("/nonexistent", 10), "/nonexistent: No such file or directory");
    EXPECT_FALSE(file_bytes("/nonexistent"));
    const std::string folder = folder_.path().string();
    EXPECT_EQ(read(folder, 10), folder + ": Is a directory");
    EXPECT_EQ(read(made(""), 10), made("") + ": there is nothing in it");
}

TEST(AvailableMemory, IsWhatTheKernelEstimates)
{
    EXPECT_EQ(available_memory("MemTotal:  8000000 kB\nMemFree:  10 kB\n"
                               "MemAvailable:    1234 kB\nBuffers: 1 kB\n"),
        1234U * 1024);
    EXPECT_FALSE(available_memory("MemTotal:  8000000 kB\n"));
    EXPECT_FALSE(available_memory("MemAvailable: kB\n"));
    EXPECT_GT(available_memory().value_or(0), 0U);
}

}  // namespace
}  // namespace dpdkperf::host
