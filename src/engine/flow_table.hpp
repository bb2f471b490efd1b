#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/traffic/traffic.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace dpdkperf::engine {

struct Session;

// Streams by the addresses and ports of what they receive. Open addressing at a load of at most a
// half; removal rebuilds, because it happens between tests. One poller.
//
// An Entry has a pointer `stream`, null in a default one, and may have more.
template <class Entry>
class FlowTable {
public:
    static constexpr std::size_t kSlots = 2048;
    static constexpr std::size_t kMaxFlows = kSlots / 2;
    static_assert(kMaxFlows >= traffic::kMaxStreamsAtOnce);

    using StreamOf = std::remove_pointer_t<decltype(Entry::stream)>;

    // False: full. `stream.local` and `stream.remote` are set and not in the table.
    bool insert(StreamOf& stream) noexcept
    {
        if (size_ == kMaxFlows) {
            return false;
        }
        slot(stream.local, stream.remote).stream = &stream;
        ++size_;
        return true;
    }

    // The entry stays until insert() or a removal. Null: no such stream.
    [[nodiscard]] Entry* find(const Endpoint& local, const Endpoint& remote) noexcept
    {
        Entry& entry = slot(local, remote);
        return entry.stream == nullptr ? nullptr : &entry;
    }

    void remove(const StreamOf& stream) noexcept
    {
        remove_if([&](const StreamOf& other) { return &other == &stream; });
    }
    void remove_session(const Session& session) noexcept
    {
        remove_if([&](const StreamOf& other) { return other.session == &session; });
    }

private:
    template <class Goes>
    void remove_if(Goes goes) noexcept
    {
        std::array<StreamOf*, kMaxFlows> left{};
        std::size_t count = 0;
        for (Entry& entry : slots_) {
            if (entry.stream != nullptr && !goes(*entry.stream)) {
                left[count++] = entry.stream;
            }
            entry = {};
        }
        size_ = 0;
        for (StreamOf* stream : std::span{left}.first(count)) {
            insert(*stream);
        }
    }

    // Where the stream between these is, or would be.
    Entry& slot(const Endpoint& local, const Endpoint& remote) noexcept
    {
        std::size_t at = hash(local, remote);
        while (slots_[at].stream != nullptr &&
               (slots_[at].stream->remote != remote || slots_[at].stream->local != local)) {
            at = (at + 1) % kSlots;
        }
        return slots_[at];
    }

    static std::size_t hash(const Endpoint& local, const Endpoint& remote) noexcept
    {
        const IpAddress::Words halves = remote.address.words();
        const std::uint64_t ports = std::uint64_t{remote.port} << 16 | local.port;
        // Fibonacci hashing: the upper bits of a product by 2^64 / golden ratio.
        const std::uint64_t mixed = (halves[0] ^ halves[1] ^ ports << 7) * 0x9e37'79b9'7f4a'7c15;
        return mixed >> (64 - std::bit_width(kSlots - 1));
    }

    std::array<Entry, kSlots> slots_{};
    std::size_t size_ = 0;
};

}  // namespace dpdkperf::engine
