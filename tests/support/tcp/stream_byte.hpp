#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dpdkperf::tcp::sim {

// Byte `offset` of every stream of the tests, where its bytes matter.
constexpr std::byte stream_byte(std::uint64_t offset)
{
    return static_cast<std::byte>(offset * 0x9e37'79b9'7f4a'7c15U >> 56U);
}

inline std::vector<std::byte> stream_bytes(std::uint64_t offset, std::size_t count)
{
    std::vector<std::byte> bytes(count);
    std::generate(bytes.begin(), bytes.end(), [&] { return stream_byte(offset++); });
    return bytes;
}

// Whether `bytes` are those of the stream from `offset` on.
inline bool is_of_stream(std::span<const std::byte> bytes, std::uint64_t offset)
{
    return std::ranges::equal(bytes, stream_bytes(offset, bytes.size()));
}

}  // namespace dpdkperf::tcp::sim
