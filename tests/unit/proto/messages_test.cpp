#include "dpdkperf/proto/messages.hpp"

#include <set>

#include <gtest/gtest.h>

namespace dpdkperf::proto {
namespace {

TEST(Messages, ReservedAndUnknownBytesAreNone)
{
    std::set<int> known;
    for (int value = -128; value < 128; ++value) {
        if (message_from(static_cast<std::byte>(value))) {
            known.insert(value);
        }
    }
    // iperf 3.12, src/iperf_api.h, without 3, 5 to 8 and 15, which never travel.
    EXPECT_EQ(known, (std::set{-2, -1, 1, 2, 4, 9, 10, 11, 12, 13, 14, 16}));
}

TEST(Cookie, IsThirtySixLettersOfIperf3sAlphabetAndANul)
{
    std::array<std::uint8_t, 36> random{};
    for (std::size_t i = 0; i < random.size(); ++i) {
        random[i] = static_cast<std::uint8_t>(i * 37);
    }
    const Cookie cookie = Cookie::from_random(random);
    EXPECT_EQ(cookie.text().size(), 36U);
    EXPECT_EQ(cookie.text().find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"),
        std::string_view::npos);
}

TEST(Cookie, WithoutANulHasAText)
{
    Cookie cookie;
    cookie.bytes.fill('x');
    EXPECT_EQ(cookie.text(), std::string(37, 'x'));
}

}  // namespace
}  // namespace dpdkperf::proto
