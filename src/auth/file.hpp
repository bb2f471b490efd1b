#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace dpdkperf::auth {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

using File = std::unique_ptr<std::FILE, CloseFile>;

// For reading; null, and errno says why, if it cannot be opened.
inline File open_file(const std::string& path)
{
    return File{std::fopen(path.c_str(), "re")};
}

}  // namespace dpdkperf::auth
