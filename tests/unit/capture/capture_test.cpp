#include "dpdkperf/capture/capture.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace dpdkperf::capture {
namespace {

// Types and lengths: draft-ietf-opsawg-pcapng.
constexpr std::uint32_t kSection = 0x0A0D0D0A, kInterface = 1, kStatistics = 5, kPacket = 6;

struct Block {
    std::uint32_t type;
    std::string body;  // without type and both lengths
};

template <class T>
T at(const std::string& bytes, std::size_t offset)
{
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

// Checks that each block is as long at its end as at its beginning.
std::vector<Block> blocks_of(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    const std::string all{std::istreambuf_iterator<char>{file}, {}};
    std::vector<Block> blocks;
    for (std::size_t from = 0; from < all.size();) {
        const auto length = at<std::uint32_t>(all, from + 4);
        EXPECT_EQ(length % 4, 0U);
        EXPECT_EQ(at<std::uint32_t>(all, from + length - 4), length);
        blocks.push_back({at<std::uint32_t>(all, from), all.substr(from + 8, length - 12)});
        from += length;
    }
    return blocks;
}

std::vector<std::uint32_t> types_of(const std::vector<Block>& blocks)
{
    std::vector<std::uint32_t> types;
    for (const Block& block : blocks) {
        types.push_back(block.type);
    }
    return types;
}

class CaptureTest : public testing::Test {
protected:
    CaptureTest() : path_{testing::TempDir() + "capture-" + std::to_string(getpid())} {}
    ~CaptureTest() override { std::filesystem::remove(path_); }
    CaptureTest(const CaptureTest&) = delete;
    CaptureTest& operator=(const CaptureTest&) = delete;

    void create(std::uint32_t frames)
    {
        auto made = Capture::create(path_, frames, "dpdkperf 0", "a test");
        ASSERT_TRUE(made) << made.error().message;
        capture_ = *std::move(made);
    }
    void put(std::uint16_t interface, const std::string& frame)
    {
        FrameRing& ring = capture_->ring(0);
        const auto room = ring.stage({.bytes = static_cast<std::uint32_t>(frame.size()),
            .interface = interface,
            .direction = Direction::kSent,
            .at_ns = 0x1'0000'0002});
        ASSERT_EQ(room.size(), frame.size());
        std::memcpy(room.data(), frame.data(), frame.size());
        ring.commit(1);
    }

    const std::string path_;
    std::unique_ptr<Capture> capture_;
};

TEST_F(CaptureTest, WritesWholeFramesOfSeveralInterfaces)
{
    create(10);
    capture_->start();
    const auto first = capture_->add_interface("eth0", "net_af_xdp", Mac{});
    put(first, "seven b");
    const auto second = capture_->add_interface("eth1", "net_af_xdp", Mac{});
    put(second, "eight by");
    EXPECT_EQ(capture_->add_interface("eth0", "net_af_xdp", Mac{}), first) << "opened again";
    put(first, "x");
    ASSERT_TRUE(capture_->finish());

    // The writer may be slower than whoever adds interfaces; packets of one come behind it.
    std::vector<std::string> frames;
    std::vector<std::uint32_t> interfaces;
    std::size_t known = 0;
    const auto blocks = blocks_of(path_);
    ASSERT_FALSE(blocks.empty());
    EXPECT_EQ(blocks.front().type, kSection);
    for (const Block& block : blocks) {
        known += block.type == kInterface ? 1 : 0;
        if (block.type == kPacket) {
            interfaces.push_back(at<std::uint32_t>(block.body, 0));
            EXPECT_LT(interfaces.back(), known);
            EXPECT_EQ(at<std::uint32_t>(block.body, 4), 1U);  // the time's upper half
            EXPECT_EQ(at<std::uint32_t>(block.body, 8), 2U);
            const auto bytes = at<std::uint32_t>(block.body, 12);
            EXPECT_EQ(at<std::uint32_t>(block.body, 16), bytes);
            frames.push_back(block.body.substr(20, bytes));
        }
    }
    EXPECT_EQ(frames, (std::vector<std::string>{"seven b", "eight by", "x"}));
    EXPECT_EQ(interfaces, (std::vector<std::uint32_t>{0, 1, 0}));
    EXPECT_EQ(blocks.back().type, kStatistics);
}

TEST_F(CaptureTest, IsAFileWithoutFrames)
{
    create(10);
    ASSERT_TRUE(capture_->finish());
    EXPECT_EQ(types_of(blocks_of(path_)), std::vector{kSection});
}

TEST_F(CaptureTest, GivesOutAsManyFramesOfEachDirectionAsAreWanted)
{
    create(10);
    EXPECT_EQ(capture_->claim(Direction::kSent, 8), 8U);
    EXPECT_EQ(capture_->claim(Direction::kSent, 8), 2U);
    EXPECT_FALSE(capture_->wants(Direction::kSent));
    EXPECT_TRUE(capture_->wants(Direction::kReceived));
    capture_->give_back(Direction::kSent, 3);
    EXPECT_EQ(capture_->claim(Direction::kSent, 8), 3U);
    EXPECT_EQ(capture_->claim(Direction::kReceived, 8), 8U);
}

TEST_F(CaptureTest, CountsWhatIsMissing)
{
    create(10);
    put(capture_->add_interface("eth0", "d", Mac{}), "frame");
    capture_->lose(3);
    ASSERT_TRUE(capture_->finish());
    EXPECT_EQ(capture_->lost(), 3U);
    const Block last = blocks_of(path_).back();
    ASSERT_EQ(last.type, kStatistics);
    // Interface, time, then two options of 64 bits: received and dropped.
    EXPECT_EQ(at<std::uint64_t>(last.body, 16), 4U);
    EXPECT_EQ(at<std::uint64_t>(last.body, 28), 3U);
}

TEST(Capture, SaysThatAFileCannotBeMade)
{
    const auto made = Capture::create("/no/such/folder/file", 10, "", "");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().message,
        "unable to write packets to '/no/such/folder/file': No such file or directory");
}

TEST(Capture, SaysThatTheDiskIsFull)
{
    const auto made = Capture::create("/dev/full", 10, "", "");
    ASSERT_FALSE(made);
    EXPECT_EQ(
        made.error().message, "unable to write packets to '/dev/full': No space left on device");
}

}  // namespace
}  // namespace dpdkperf::capture
