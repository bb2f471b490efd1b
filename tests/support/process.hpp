#pragma once

#include <string>
#include <vector>

namespace dpdkperf::test {

// A child process whose output (standard output and error) is collected. Killed if it still
// lives when the object goes.
class Process {
public:
    explicit Process(const std::vector<std::string>& command);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    // Blocks until the output contains `text`; false if it ends without.
    bool wait_for(const std::string& text);
    // Blocks until it ends, and returns its exit code, or minus the signal that ended it.
    int wait();
    void kill(int signal) const;
    [[nodiscard]] const std::string& output() const { return output_; }

private:
    bool read_more();

    int pid_ = -1;
    int pipe_ = -1;
    std::string output_;
};

}  // namespace dpdkperf::test
