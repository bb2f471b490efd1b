#pragma once

#include "dpdkperf/host/unique_fd.hpp"

#include <csignal>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dpdkperf::host {

// A child process that runs a function of a test and can be killed. Killed by the destructor.
class Child {
public:
    // The child's end of a pipe on which it tells that it has got somewhere.
    class Signal {
    public:
        explicit Signal(int fd) : fd_{fd} {}
        void give()
        {
            if (write(fd_, "", 1) != 1) {
                _exit(1);
            }
        }

    private:
        int fd_;
    };

    template <class Function>
    explicit Child(Function function)
    {
        int ends[2] = {-1, -1};
        if (pipe2(ends, O_CLOEXEC) != 0) {
            throw std::runtime_error{"pipe2"};
        }
        signals_ = UniqueFd{ends[0]};
        UniqueFd theirs{ends[1]};
        pid_ = fork();
        if (pid_ == 0) {
            signals_.reset();
            Signal signal{theirs.get()};
            function(signal);
            _exit(0);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { kill(); }

    // Returns false if the child ended without a signal.
    bool wait_for_signal()
    {
        char byte = 0;
        return read(signals_.get(), &byte, 1) == 1;
    }

    void kill() { end_by(SIGKILL); }
    // Waits for the end that the function has come to.
    void join() { end_by(0); }

    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    void end_by(int signal_number)
    {
        if (pid_ > 0) {
            ::kill(pid_, signal_number);
            waitpid(std::exchange(pid_, -1), nullptr, 0);
        }
    }

    pid_t pid_ = -1;
    UniqueFd signals_;
};

}  // namespace dpdkperf::host
