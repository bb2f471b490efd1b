#include "dpdkperf/tcp/isn.hpp"

#include <cstring>

namespace dpdkperf::tcp {

namespace {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void round() noexcept
    {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }

    void absorb(std::uint64_t word) noexcept
    {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
};

std::uint64_t hash(const IsnSecret& secret, const Endpoint& local, const Endpoint& remote,
    std::uint64_t purpose) noexcept
{
    const auto a = local.address.words(), b = remote.address.words();
    const std::uint64_t ports = std::uint64_t{local.port} << 16 | remote.port;
    const std::array<std::uint64_t, 6> words{a[0], a[1], b[0], b[1], ports, purpose};
    return siphash(secret, words);
}

constexpr std::uint64_t kForSequence = 0;
constexpr std::uint64_t kForTimestamp = 1;

}  // namespace

std::uint64_t siphash(const IsnSecret& key, std::span<const std::uint64_t> words) noexcept
{
    SipState state{key[0] ^ 0x736f'6d65'7073'6575, key[1] ^ 0x646f'7261'6e64'6f6d,
        key[0] ^ 0x6c79'6765'6e65'7261, key[1] ^ 0x7465'6462'7974'6573};
    for (const std::uint64_t word : words) {
        state.absorb(word);
    }
    state.absorb(std::uint64_t{words.size_bytes() & 0xff} << 56);
    state.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) {
        state.round();
    }
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint32_t initial_sequence(
    const IsnSecret& secret, const Endpoint& local, const Endpoint& remote, Moment now) noexcept
{
    const auto ticks =
        static_cast<std::uint64_t>(now.time_since_epoch() / std::chrono::microseconds{4});
    return static_cast<std::uint32_t>(hash(secret, local, remote, kForSequence) + ticks);
}

std::uint32_t timestamp_offset(
    const IsnSecret& secret, const Endpoint& local, const Endpoint& remote) noexcept
{
    return static_cast<std::uint32_t>(hash(secret, local, remote, kForTimestamp));
}

}  // namespace dpdkperf::tcp
