#pragma once

#include "dpdkperf/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dpdkperf::host {

// All bytes of a file, as they are now: what happens to it later is not seen. Blocks while it is
// read. Errors name the file: it can't be opened or read, is empty, or has more than `most_bytes`.
Result<std::vector<std::byte>> read_file(const std::string& path, std::size_t most_bytes);

// How long a file is now; empty if there is none, or it has no length (a pipe, a device).
std::optional<std::uint64_t> file_bytes(const std::string& path);

// Memory that can be had without making the machine swap, by the kernel's estimate; empty if it is
// not known.
std::optional<std::uint64_t> available_memory();
// The same of the text of /proc/meminfo (proc(5), MemAvailable).
std::optional<std::uint64_t> available_memory(std::string_view meminfo);

}  // namespace dpdkperf::host
