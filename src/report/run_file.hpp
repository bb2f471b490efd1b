#pragma once

#include "dpdkperf/base/result.hpp"

#include <fstream>
#include <string>

namespace dpdkperf::report {

// A file that has its name only when it is complete.
class RunFile {
public:
    // It will be FOLDER/STEM.json, or STEM-2.json and so on: nothing is ever overwritten. Until
    // then ".part" follows. Errors: kPermission, kSystem.
    static Result<RunFile> create(const std::string& folder, const std::string& stem);
    RunFile(RunFile&& other) noexcept;
    RunFile& operator=(RunFile&&) = delete;
    RunFile(const RunFile&) = delete;
    RunFile& operator=(const RunFile&) = delete;
    ~RunFile();  // removes what was not published

    [[nodiscard]] std::ostream& stream() { return stream_; }

    // Errors: not everything could be written; the file is gone.
    Status publish();

private:
    explicit RunFile(std::string path);

    std::string path_;  // empty: published
    std::ofstream stream_;
};

}  // namespace dpdkperf::report
