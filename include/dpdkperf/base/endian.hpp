#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace dpdkperf {

static_assert(std::endian::native == std::endian::little,
    "big-endian hosts are not supported: byte_swap() below would have to become the identity");

template <std::unsigned_integral T>
constexpr T byte_swap(T v) noexcept
{
    if constexpr (sizeof(T) == 1) {
        return v;
    } else if constexpr (sizeof(T) == 2) {
        return __builtin_bswap16(v);
    } else if constexpr (sizeof(T) == 4) {
        return __builtin_bswap32(v);
    } else {
        static_assert(sizeof(T) == 8);
        return __builtin_bswap64(v);
    }
}

// Reads a big-endian number at `from`, which need not be aligned.
template <std::unsigned_integral T>
T load_be(const std::byte* from) noexcept
{
    T raw;
    std::memcpy(&raw, from, sizeof raw);
    return byte_swap(raw);
}

// Writes `value` big-endian at `to`, which need not be aligned.
template <std::unsigned_integral T>
void store_be(std::byte* to, std::type_identity_t<T> value) noexcept
{
    const T raw = byte_swap(value);
    std::memcpy(to, &raw, sizeof raw);
}

}  // namespace dpdkperf
