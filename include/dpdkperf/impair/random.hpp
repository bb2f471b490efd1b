#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace dpdkperf::impair {

// xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64: the same numbers on every machine,
// which std's distributions do not promise.
class Random {
public:
    explicit Random(std::uint64_t seed)
    {
        for (std::uint64_t& word : state_) {
            seed += 0x9e37'79b9'7f4a'7c15;
            std::uint64_t z = seed;
            z = (z ^ z >> 30U) * 0xbf58'476d'1ce4'e5b9;
            z = (z ^ z >> 27U) * 0x94d0'49bb'1331'11eb;
            word = z ^ z >> 31U;
        }
    }

    std::uint64_t next()
    {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17U;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    std::uint64_t below(std::uint64_t n) { return next() % n; }
    double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
    bool chance(double p) { return p > 0 && unit() < p; }

private:
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace dpdkperf::impair
