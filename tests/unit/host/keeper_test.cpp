#include "child.hpp"
#include "dpdkperf/host/interface_lock.hpp"
#include "dpdkperf/host/keeper.hpp"
#include "temporary_directory.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>

namespace dpdkperf::host {
namespace {

namespace fs = std::filesystem;

// Far more than any step takes; only a failing test waits so long.
constexpr int kLongMs = 5000;

// The names that vanish from a directory, in order.
class Vanishing {
public:
    explicit Vanishing(const fs::path& directory) : events_{inotify_init1(IN_CLOEXEC)}
    {
        inotify_add_watch(events_.get(), directory.c_str(), IN_DELETE);
    }

    // Empty if nothing vanishes in time.
    std::string next()
    {
        if (pending_.empty() && !read_events()) {
            return {};
        }
        std::string name = pending_.front();
        pending_.erase(pending_.begin());
        return name;
    }

private:
    bool read_events()
    {
        alignas(inotify_event) std::array<char, 4096> buffer{};
        pollfd readable{events_.get(), POLLIN, 0};
        if (poll(&readable, 1, kLongMs) != 1) {
            return false;
        }
        const auto n = read(events_.get(), buffer.data(), buffer.size());
        for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
            const auto& event = *reinterpret_cast<const inotify_event*>(&buffer[at]);
            pending_.emplace_back(&buffer[at + sizeof event]);
            at += sizeof event + event.len;
        }
        return true;
    }

    UniqueFd events_;
    std::vector<std::string> pending_;
};

class KeeperTest : public testing::Test {
protected:
    std::string make_file(const std::string& name)
    {
        std::ofstream{path(name)} << name;
        return path(name);
    }
    std::string path(const std::string& name) { return (temporary_.path() / name).string(); }
    const fs::path& directory() { return temporary_.path(); }

private:
    TemporaryDirectory temporary_;
};

TEST_F(KeeperTest, UndoesWhatAKilledProcessLeftLatestFirst)
{
    Vanishing vanishing{directory()};
    Child main{[&](Child::Signal& ready) {
        auto keeper = Keeper::start();
        (void)keeper->undo(RemoveDirectory{path("directory")});
        fs::create_directory(path("directory"));
        (void)keeper->undo(RemoveFile{path("first")});
        make_file("first");
        (void)keeper->undo(RemoveFile{path("second")});
        make_file("second");
        ready.give();
        pause();
    }};
    ASSERT_TRUE(main.wait_for_signal());
    ASSERT_TRUE(fs::exists(path("second")));
    main.kill();
    EXPECT_EQ(vanishing.next(), "second");
    EXPECT_EQ(vanishing.next(), "first");
    EXPECT_EQ(vanishing.next(), "directory");
}

// The kernel closes a dead process's descriptors one by one, latest first: the keeper's is gone
// before the lock is.
TEST_F(KeeperTest, UndoesNothingBeforeItsProcessHasLetGoOfEverything)
{
    Vanishing vanishing{directory()};
    Child main{[&](Child::Signal& ready) {
        const auto lock = InterfaceLock::acquire(directory());
        for (int i = 0; i < 900; ++i) {
            (void)open("/dev/null", O_RDONLY);
        }
        auto keeper = Keeper::start();
        (void)keeper->undo(RemoveFile{make_file("file")});
        ready.give();
        pause();
    }};
    ASSERT_TRUE(main.wait_for_signal());
    main.kill();
    EXPECT_EQ(vanishing.next(), "file");
    EXPECT_TRUE(InterfaceLock::acquire(directory()));
}

TEST_F(KeeperTest, HasFinishedWhenReleaseReturns)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper) << keeper.error().message;
    ASSERT_TRUE(keeper->undo(RemoveFile{make_file("file")}));
    const auto released = keeper->release();
    EXPECT_TRUE(released) << released.error().message;
    EXPECT_FALSE(fs::exists(path("file")));
    EXPECT_FALSE(keeper->undo(RemoveFile{path("file")}));
}

TEST_F(KeeperTest, FinishesWhenItGoesOutOfScope)
{
    {
        auto keeper = Keeper::start();
        ASSERT_TRUE(keeper);
        ASSERT_TRUE(keeper->undo(RemoveFile{make_file("file")}));
    }
    EXPECT_FALSE(fs::exists(path("file")));
}

TEST_F(KeeperTest, RemovesAPidFileOnlyWhileItNamesItsProcess)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    ASSERT_TRUE(keeper->undo(RemovePidFile{path("ours")}));
    ASSERT_TRUE(keeper->undo(RemovePidFile{path("another's")}));
    std::ofstream{path("ours")} << getpid() << '\n';
    std::ofstream{path("another's")} << getppid() << '\n';
    ASSERT_TRUE(keeper->release());
    EXPECT_FALSE(fs::exists(path("ours")));
    EXPECT_TRUE(fs::exists(path("another's")));
}

TEST_F(KeeperTest, TakesNoMorePathsWhenSealed)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    ASSERT_TRUE(keeper->undo(RemoveFile{make_file("before")}));
    keeper->seal();
    EXPECT_TRUE(keeper->undo(DetachXdp{4711}));
    const auto refused = keeper->undo(RemoveFile{make_file("after")});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "keeper: takes no more paths");
    ASSERT_TRUE(keeper->release());
    EXPECT_FALSE(fs::exists(path("before")));
    EXPECT_TRUE(fs::exists(path("after")));
}

TEST_F(KeeperTest, ForgetsWhatIsDone)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    const auto first = keeper->undo(RemoveFile{make_file("first")});
    const auto second = keeper->undo(RemoveFile{make_file("second")});
    ASSERT_TRUE(first && second);
    keeper->done(*first);
    keeper->done(*first);
    ASSERT_TRUE(keeper->release());
    EXPECT_TRUE(fs::exists(path("first")));
    EXPECT_FALSE(fs::exists(path("second")));
}

TEST_F(KeeperTest, TakesNewActionsInPlaceOfThoseDone)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    for (std::size_t i = 0; i < 3 * Keeper::kMaxActions; ++i) {
        const auto token = keeper->undo(RemoveFile{path("none")});
        ASSERT_TRUE(token) << token.error().message;
        keeper->done(*token);
    }
    ASSERT_TRUE(keeper->undo(RemoveFile{make_file("file")}));
    ASSERT_TRUE(keeper->release());
    EXPECT_FALSE(fs::exists(path("file")));
}

TEST_F(KeeperTest, RefusesWhatItCouldNotUndo)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    EXPECT_FALSE(keeper->undo(RemoveFile{"relative"}));
    EXPECT_FALSE(keeper->undo(RemoveFile{"/" + std::string(Keeper::kMaxPathBytes, 'x')}));
    for (std::size_t i = 0; i < Keeper::kMaxActions; ++i) {
        ASSERT_TRUE(keeper->undo(RemoveFile{path("none")}));
    }
    const auto one_more = keeper->undo(RemoveFile{path("none")});
    ASSERT_FALSE(one_more);
    EXPECT_EQ(one_more.error().message, "keeper: more than 64 actions");
}

TEST_F(KeeperTest, RemovesADirectoryWithItsFilesButNoTree)
{
    fs::create_directories(path("tree/directory"));
    fs::create_directory(path("directory"));
    make_file("directory/file");
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    ASSERT_TRUE(keeper->undo(RemoveDirectory{path("directory")}));
    ASSERT_TRUE(keeper->undo(RemoveDirectory{path("tree")}));
    ASSERT_TRUE(keeper->release());
    EXPECT_FALSE(fs::exists(path("directory")));
    EXPECT_TRUE(fs::exists(path("tree/directory")));
}

TEST_F(KeeperTest, SaysOnStandardErrorWhatItCouldNotUndo)
{
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe(ends), 0);
    const UniqueFd out{ends[0]};
    {
        const UniqueFd in{ends[1]};
        Child main{[&](Child::Signal&) {
            dup2(in.get(), STDERR_FILENO);
            auto keeper = Keeper::start();
            (void)keeper->undo(RemoveFile{"/proc/version"});
        }};
        main.join();
    }
    std::array<char, 256> text{};
    ASSERT_GT(read(out.get(), text.data(), text.size() - 1), 0);
    EXPECT_EQ(std::string{text.data()}.find("dpdkperf: not undone: remove /proc/version: "), 0U)
        << text.data();
}

// `dpdkperf | tee` ends when dpdkperf does: here the main process goes on without its
// standard output, and the reader sees the end.
TEST_F(KeeperTest, DoesNotHoldDescriptorsOfItsProcess)
{
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe(ends), 0);
    const UniqueFd out{ends[0]};
    UniqueFd in{ends[1]};
    Child main{[&](Child::Signal& ready) {
        dup2(in.get(), STDOUT_FILENO);
        const auto keeper = Keeper::start();
        close(STDOUT_FILENO);
        in.reset();
        ready.give();
        pause();
    }};
    ASSERT_TRUE(main.wait_for_signal());
    in.reset();
    pollfd ended{out.get(), POLLIN, 0};
    ASSERT_EQ(poll(&ended, 1, kLongMs), 1) << "somebody still holds the writing end";
    char byte = 0;
    EXPECT_EQ(read(out.get(), &byte, 1), 0);
}

TEST_F(KeeperTest, LeavesNoZombie)
{
    auto keeper = Keeper::start();
    ASSERT_TRUE(keeper);
    ASSERT_TRUE(keeper->release());
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

// The keeper, in a process that has no other child.
pid_t only_child()
{
    pid_t child = -1;
    std::ifstream{"/proc/thread-self/children"} >> child;
    return child;
}

TEST_F(KeeperTest, OutlivesTheSignalsThatEndItsProcess)
{
    Vanishing vanishing{directory()};
    Child main{[&](Child::Signal& ready) {
        auto keeper = Keeper::start();
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
            if (kill(only_child(), number) != 0) {
                _exit(1);
            }
        }
        (void)keeper->undo(RemoveFile{make_file("file")});
        ready.give();
        pause();
    }};
    ASSERT_TRUE(main.wait_for_signal());
    main.kill();
    EXPECT_EQ(vanishing.next(), "file");
}

TEST_F(KeeperTest, IsNotInTheTerminalsProcessGroup)
{
    Child main{[&](Child::Signal& same) {
        const auto keeper = Keeper::start();
        if (getsid(only_child()) == getsid(0)) {
            same.give();
        }
    }};
    EXPECT_FALSE(main.wait_for_signal());
}

TEST_F(KeeperTest, WorksForAProcessWithoutStandardDescriptors)
{
    Vanishing vanishing{directory()};
    Child main{[&](Child::Signal& ready) {
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            close(fd);
        }
        auto keeper = Keeper::start();
        (void)keeper->undo(RemoveFile{make_file("file")});
        ready.give();
        pause();
    }};
    ASSERT_TRUE(main.wait_for_signal());
    main.kill();
    EXPECT_EQ(vanishing.next(), "file");
}

}  // namespace
}  // namespace dpdkperf::host
