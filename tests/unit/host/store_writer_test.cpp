#include "dpdkperf/host/store_writer.hpp"
#include "temporary_directory.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

namespace dpdkperf::host {
namespace {

class StoreWriterTest : public testing::Test {
protected:
    [[nodiscard]] std::string path() const { return (folder_.path() / "f").string(); }
    [[nodiscard]] std::string content() const
    {
        std::ifstream file{path(), std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    void open(const StoreWriter::Stores& stores, const std::string& where)
    {
        auto opened = StoreWriter::open(where, stores);
        ASSERT_TRUE(opened) << opened.error().message;
        writer_ = *std::move(opened);
    }
    void give(std::size_t index, std::string_view text)
    {
        StreamStore& store = writer_->store(index);
        store.put(store.published(), std::as_bytes(std::span{text}));
        store.publish(store.published() + text.size());
    }
    void settle()
    {
        writer_->mark();
        while (!writer_->settled()) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }

    TemporaryDirectory folder_;
    std::unique_ptr<StoreWriter> writer_;
};

TEST_F(StoreWriterTest, WritesWhatArrives)
{
    std::ofstream{path()} << "what was there before";
    open({.bytes = 16, .first = 37}, path());
    EXPECT_EQ(content(), "");
    give(0, "0123456789");
    settle();
    EXPECT_EQ(content(), "0123456789");
    give(0, "abcdefghij");  // around the end of the ring
    settle();
    EXPECT_EQ(content(), "0123456789abcdefghij");
    EXPECT_EQ(writer_->file_bytes(), 20U);
    EXPECT_EQ(writer_->error(), 0);
}

TEST_F(StoreWriterTest, WritesAllBeforeItEnds)
{
    open({.bytes = 1U << 20U}, path());
    const std::string all(1'000'000, 'x');
    give(0, all);
    writer_.reset();
    EXPECT_EQ(content(), all);
}

TEST_F(StoreWriterTest, MakesAFileForItsOwnerAlone)
{
    open({.bytes = 16}, path());
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(path()).permissions() & perms::all,
        perms::owner_read | perms::owner_write);
}

TEST_F(StoreWriterTest, LetsStreamsWriteOverOneAnother)
{
    open({.count = 2, .bytes = 16}, path());
    give(0, "abcdef");
    settle();
    give(1, "123");
    settle();
    EXPECT_EQ(content(), "123def");
}

TEST_F(StoreWriterTest, SaysWhyItCannotWrite)
{
    open({.bytes = 16}, "/dev/full");
    EXPECT_TRUE(writer_->settled());
    give(0, "x");
    settle();
    EXPECT_EQ(writer_->error(), ENOSPC);
    give(0, "y");
    settle();  // it does not wait for what will never be
}

TEST_F(StoreWriterTest, NamesWhatItCannotOpen)
{
    const auto opened = StoreWriter::open("/nonexistent/f", {.bytes = 16});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message, "/nonexistent/f: No such file or directory");
}

}  // namespace
}  // namespace dpdkperf::host
