#pragma once

#include "dpdkperf/base/address.hpp"
#include "session.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dpdkperf::engine {

// Streams by the addresses and ports of what they receive. Open addressing at a load of at most a
// half; removal rebuilds, because it happens between tests. One poller.
class FlowTable {
public:
    static constexpr std::size_t kSlots = 2048;
    static constexpr std::size_t kMaxFlows = kSlots / 2;

    // False: full. `stream.local` and `stream.remote` are set and not in the table.
    bool insert(UdpStream& stream) noexcept
    {
        if (size_ == kMaxFlows) {
            return false;
        }
        std::size_t at = hash(stream.local, stream.remote);
        while (slots_[at] != nullptr) {
            at = (at + 1) % kSlots;
        }
        slots_[at] = &stream;
        ++size_;
        return true;
    }

    [[nodiscard]] UdpStream* find(const Endpoint& local, const Endpoint& remote) const noexcept
    {
        for (std::size_t at = hash(local, remote); slots_[at] != nullptr; at = (at + 1) % kSlots) {
            const UdpStream& stream = *slots_[at];
            if (stream.remote == remote && stream.local == local) {
                return slots_[at];
            }
        }
        return nullptr;
    }

    void remove_session(const Session& session) noexcept
    {
        const auto old = slots_;
        slots_.fill(nullptr);
        size_ = 0;
        for (UdpStream* stream : old) {
            if (stream != nullptr && stream->session != &session) {
                insert(*stream);
            }
        }
    }

private:
    static std::size_t hash(const Endpoint& local, const Endpoint& remote) noexcept
    {
        const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(remote.address.v6_bytes());
        const std::uint64_t ports = std::uint64_t{remote.port} << 16 | local.port;
        // Fibonacci hashing: the upper bits of a product by 2^64 / golden ratio.
        const std::uint64_t mixed = (halves[0] ^ halves[1] ^ ports << 7) * 0x9e37'79b9'7f4a'7c15;
        return mixed >> (64 - std::bit_width(kSlots - 1));
    }

    std::array<UdpStream*, kSlots> slots_{};
    std::size_t size_ = 0;
};

}  // namespace dpdkperf::engine
