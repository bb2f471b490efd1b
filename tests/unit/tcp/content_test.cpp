#include "dpdkperf/tcp/content.hpp"
#include "random.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::tcp {
namespace {

class Content : public testing::Test {
protected:
    Content()
    {
        for (std::size_t i = 0; i < Pattern::kPeriod; ++i) {
            twice_[i] = twice_[i + Pattern::kPeriod] = static_cast<std::byte>(random_.next());
        }
        for (auto& b : cookie_) {
            b = static_cast<std::byte>(random_.next());
        }
    }

    // Byte by byte, as it is defined.
    [[nodiscard]] std::byte byte(std::uint64_t offset) const
    {
        return offset < cookie_.size() ? cookie_[offset]
                                       : twice_[(offset - cookie_.size()) % Pattern::kPeriod];
    }

    static std::vector<std::byte> read(
        const StreamContent& content, std::uint64_t offset, std::size_t bytes)
    {
        std::vector<std::byte> all;
        while (all.size() < bytes) {
            const auto piece =
                content.piece(offset + all.size(), static_cast<std::uint32_t>(bytes - all.size()));
            if (piece.empty()) {
                ADD_FAILURE() << "nothing at " << offset + all.size();
                break;
            }
            all.insert(all.end(), piece.begin(), piece.end());
        }
        return all;
    }

    // Bytes and sums of `content` are those that `byte` gives.
    template <class Byte>
    void expect_bytes(const StreamContent& content, const Byte& byte)
    {
        for (int i = 0; i < 2'000; ++i) {
            const std::uint64_t offset = i % 3 == 0 ? random_.below(100) : random_.next() >> 2U;
            const auto bytes =
                static_cast<std::uint32_t>(random_.below(i % 50 == 0 ? 65'000 : 1'500));
            std::vector<std::byte> want(bytes);
            for (std::uint32_t j = 0; j < bytes; ++j) {
                want[j] = byte(offset + j);
            }
            ASSERT_EQ(read(content, offset, bytes), want) << offset << ' ' << bytes;
            const std::uint16_t plain = bytes == 0 ? 0 : wire::fold(wire::add_bytes(0, want));
            ASSERT_EQ(wire::fold(content.sum(offset, bytes)), plain) << offset << ' ' << bytes;
        }
    }

    sim::Random random_{1};
    std::array<std::byte, std::size_t{2} * Pattern::kPeriod> twice_{};
    std::array<std::byte, 37> cookie_{};
};

TEST_F(Content, IsTheCookieAndThenThePatternForEver)
{
    const Pattern pattern{twice_};
    expect_bytes(
        StreamContent{cookie_, pattern}, [this](std::uint64_t offset) { return byte(offset); });
}

TEST_F(Content, IsTheCookieAndThenTheBeginningOfThePatternForEver)
{
    const Pattern pattern{twice_};
    for (const std::uint32_t period : {1U, 1447U, 1448U, Pattern::kPeriod - 1}) {
        expect_bytes(StreamContent{cookie_, pattern, period}, [&](std::uint64_t offset) {
            return offset < cookie_.size() ? cookie_[offset] : twice_[offset % period];
        });
    }
}

TEST_F(Content, KnowsAShortPeriodFromItsFirstByteToItsLast)
{
    const Pattern pattern{twice_};
    const StreamContent content{cookie_, pattern, 1448};
    EXPECT_FALSE(content.is_period(0, 1448)) << "the cookie";
    EXPECT_TRUE(content.is_period(1448, 1448));
    EXPECT_TRUE(content.is_period(std::uint64_t{1448} << 40U, 1448));
    EXPECT_FALSE(content.is_period(1448, 1447));
    EXPECT_FALSE(content.is_period(1448, 2896));
    EXPECT_FALSE(content.is_period(1449, 1448));
    EXPECT_TRUE((StreamContent{{}, pattern, 1448}.is_period(0, 1448)));
    EXPECT_FALSE((StreamContent{{}, pattern}.is_period(0, Pattern::kPeriod))) << "nobody's segment";
    const std::vector<std::byte> file(3'000);
    EXPECT_FALSE((StreamContent{{}, file}.is_period(0, 1448)));
}

TEST_F(Content, GivesAWholePeriodInOnePieceAtAnyPhase)
{
    const Pattern pattern{twice_};
    const StreamContent content{{}, pattern};
    for (const std::uint64_t offset : {0U, 1U, 32'759U, 40'000U}) {
        EXPECT_EQ(content.piece(offset, 100'000).size(), Pattern::kPeriod);
    }
}

TEST_F(Content, IsTheCookieAndThenAFile)
{
    std::vector<std::byte> file(100'003);
    for (std::byte& b : file) {
        b = static_cast<std::byte>(random_.next());
    }
    const StreamContent content{cookie_, file};
    std::vector<std::byte> all{cookie_.begin(), cookie_.end()};
    all.insert(all.end(), file.begin(), file.end());
    for (int i = 0; i < 1'000; ++i) {
        const std::size_t offset = random_.below(i % 3 == 0 ? 50 : all.size() - 1);
        const std::size_t bytes =
            1 + random_.below(std::min<std::size_t>(all.size() - offset, 3'000));
        const std::span want = std::span{all}.subspan(offset, bytes);
        ASSERT_TRUE(std::ranges::equal(read(content, offset, bytes), want))
            << offset << ' ' << bytes;
        ASSERT_EQ(wire::fold(content.sum(offset, static_cast<std::uint32_t>(bytes))),
            wire::fold(wire::add_bytes(0, want)))
            << offset << ' ' << bytes;
    }
}

}  // namespace
}  // namespace dpdkperf::tcp
