#include "process.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dpdkperf::test {

Process::Process(const std::vector<std::string>& command)
{
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<std::string> copy = command;
    std::vector<char*> arguments;
    for (std::string& argument : copy) {
        arguments.push_back(argument.data());
    }
    arguments.push_back(nullptr);
    if (posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) {
        pid_ = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    pipe_ = ends[0];
}

Process::~Process()
{
    if (pid_ > 0) {
        kill(SIGKILL);
        wait();
    }
    ::close(pipe_);
}

bool Process::read_more()
{
    std::array<char, 4096> buffer{};
    const auto bytes = ::read(pipe_, buffer.data(), buffer.size());
    if (bytes <= 0) {
        return false;
    }
    output_.append(buffer.data(), static_cast<std::size_t>(bytes));
    return true;
}

bool Process::wait_for(const std::string& text)
{
    while (output_.find(text) == std::string::npos) {
        if (!read_more()) {
            return false;
        }
    }
    return true;
}

int Process::wait()
{
    if (pid_ < 0) {
        return -1;
    }
    while (read_more()) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Process::kill(int signal) const
{
    if (pid_ > 0) {
        ::kill(pid_, signal);
    }
}

}  // namespace dpdkperf::test
