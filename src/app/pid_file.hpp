#pragma once

#include "dpdkperf/base/result.hpp"

#include <string>

namespace dpdkperf::app {

// A file that says which process this is, while it lives.
class PidFile {
public:
    // Errors: it cannot be written, or names another process that is running.
    static Result<PidFile> create(const std::string& path);

    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;
    PidFile(PidFile&& other) noexcept;
    PidFile& operator=(PidFile&&) = delete;
    ~PidFile();

private:
    explicit PidFile(std::string path);

    std::string path_;
};

}  // namespace dpdkperf::app
