#include "dpdkperf/wire/toeplitz.hpp"

#include <algorithm>
#include <array>

namespace dpdkperf::wire {

namespace {

// Two addresses, two ports.
constexpr std::size_t kMostInput = 2 * 16 + 2 * 2;

struct Input {
    std::array<std::uint8_t, kMostInput> bytes{};
    std::size_t size = 0;

    void add(std::span<const std::uint8_t> more) noexcept
    {
        std::ranges::copy(more, bytes.begin() + static_cast<std::ptrdiff_t>(size));
        size += more.size();
    }
    void add(const IpAddress& address) noexcept
    {
        const auto wire_order = address.v6_bytes();
        add(std::span{wire_order}.subspan(address.is_v4() ? 12 : 0));
    }
    void add(std::uint16_t port) noexcept
    {
        add(std::array{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)});
    }
};

}  // namespace

std::uint32_t toeplitz(
    std::span<const std::uint8_t> key, std::span<const std::uint8_t> input) noexcept
{
    const auto key_byte = [key](std::size_t i) -> std::uint64_t {
        return i < key.size() ? key[i] : 0;
    };
    // The window's upper half is the 32 bits of key that belong to the current bit of input.
    std::uint64_t window = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        window = window << 8 | key_byte(i);
    }
    std::uint32_t hash = 0;
    for (std::size_t i = 0; i < input.size(); ++i) {
        window = window << 8 | key_byte(i + 4);
        for (unsigned bit = 0; bit < 8; ++bit) {
            if ((input[i] & (0x80U >> bit)) != 0) {
                hash ^= static_cast<std::uint32_t>(window >> (8 - bit));
            }
        }
    }
    return hash;
}

std::uint32_t rss_hash(
    std::span<const std::uint8_t> key, const Endpoint& source, const Endpoint& destination) noexcept
{
    Input input;
    input.add(source.address);
    input.add(destination.address);
    input.add(source.port);
    input.add(destination.port);
    return toeplitz(key, std::span{input.bytes}.first(input.size));
}

std::uint16_t queue_of(std::span<const std::uint16_t> table, std::uint32_t hash) noexcept
{
    return table[hash % table.size()];
}

}  // namespace dpdkperf::wire
