#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dpdkperf::wire {

// Addresses are octets, frames are bytes.
inline void copy_bytes(std::span<const std::uint8_t> from, std::byte* to)
{
    std::memcpy(to, from.data(), from.size());
}

}  // namespace dpdkperf::wire
