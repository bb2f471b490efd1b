// Our hash against DPDK's, on random packets.

#include "dpdkperf/wire/toeplitz.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <rte_thash.h>

namespace dpdkperf::wire {
namespace {

std::uint32_t word(const std::array<std::uint8_t, 16>& bytes, std::size_t at)
{
    std::uint32_t host = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        host = host << 8 | bytes[i];
    }
    return host;
}

// rte_softrss() takes words in host order: addresses, then source and destination port as one.
std::uint32_t dpdk_hash(
    const std::uint8_t* key, const Endpoint& source, const Endpoint& destination)
{
    std::vector<std::uint32_t> words;
    for (const IpAddress* address : {&source.address, &destination.address}) {
        for (std::size_t at = address->is_v4() ? 12 : 0; at < 16; at += 4) {
            words.push_back(word(address->v6_bytes(), at));
        }
    }
    words.push_back(std::uint32_t{source.port} << 16 | destination.port);
    return rte_softrss(words.data(), static_cast<std::uint32_t>(words.size()), key);
}

TEST(Toeplitz, AgreesWithDpdk)
{
    std::mt19937 random{1};
    // rte_softrss() reads words of the key.
    alignas(4) std::array<std::uint8_t, kRssKeySize> key{};
    for (int i = 0; i < 2000; ++i) {
        std::array<std::uint8_t, 16> a{}, b{};
        for (auto* bytes : {&a, &b}) {
            std::ranges::generate(*bytes, [&] { return static_cast<std::uint8_t>(random()); });
        }
        std::ranges::generate(key, [&] { return static_cast<std::uint8_t>(random()); });
        const bool ipv4 = i % 2 == 0;
        const Endpoint source{ipv4 ? IpAddress::from_v4(word(a, 0)) : IpAddress::from_v6_bytes(a),
            static_cast<std::uint16_t>(random())};
        const Endpoint destination{
            ipv4 ? IpAddress::from_v4(word(b, 0)) : IpAddress::from_v6_bytes(b),
            static_cast<std::uint16_t>(random())};
        ASSERT_EQ(rss_hash(key, source, destination), dpdk_hash(key.data(), source, destination));
    }
}

}  // namespace
}  // namespace dpdkperf::wire
