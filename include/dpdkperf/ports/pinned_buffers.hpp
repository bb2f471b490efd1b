#pragma once

#include "dpdkperf/base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <rte_mbuf.h>

namespace dpdkperf::ports {

// Memory known to DPDK that many mbufs name at once, for as long as they live: payload that is sent
// over and over and never copied (rte_mbuf.h, rte_pktmbuf_pool_create_extbuf(), DPDK 22.11). Fill
// the buffers before the first alias() and leave them alone afterwards; outlives all its mbufs.
class PinnedBuffers {
public:
    static constexpr std::size_t kCount = 2;
    static constexpr std::size_t kBytes = 65'520;  // of each; an mbuf's length has 16 bits

    // `name`: at most 20 characters, unique in the process. `mbufs` per buffer may be in flight at
    // a time, one below a power of two. Set-up thread. Errors: no memory.
    static Result<std::unique_ptr<PinnedBuffers>> create(
        const std::string& name, std::uint32_t mbufs, std::uint32_t cache_mbufs, int numa_node);
    PinnedBuffers(const PinnedBuffers&) = delete;
    PinnedBuffers& operator=(const PinnedBuffers&) = delete;
    ~PinnedBuffers();

    [[nodiscard]] std::span<std::byte, kBytes> buffer(std::size_t index) const
    {
        return std::span<std::byte, kBytes>{buffers_[index].bytes, kBytes};
    }
    // Its mbufs are back in here.
    [[nodiscard]] rte_mempool* pool(std::size_t index) const { return buffers_[index].pool; }

    // Any lcore: an mbuf that is `piece`. Null: none is left, or the piece lies elsewhere.
    [[nodiscard]] rte_mbuf* alias(std::span<const std::byte> piece) const noexcept
    {
        for (const Buffer& buffer : buffers_) {
            const auto at = static_cast<std::size_t>(piece.data() - buffer.bytes);
            if (at < kBytes) {
                return take(buffer, at, piece.size());
            }
        }
        return nullptr;
    }

private:
    struct Buffer {
        std::byte* bytes = nullptr;
        rte_mempool* pool = nullptr;
    };

    PinnedBuffers() = default;
    static rte_mbuf* take(const Buffer& buffer, std::size_t at, std::size_t bytes) noexcept
    {
        rte_mbuf* const mbuf = rte_mbuf_raw_alloc(buffer.pool);
        if (mbuf != nullptr) [[likely]] {
            mbuf->data_off = static_cast<std::uint16_t>(at);
            mbuf->data_len = static_cast<std::uint16_t>(bytes);
        }
        return mbuf;
    }

    std::array<Buffer, kCount> buffers_{};
};

}  // namespace dpdkperf::ports
