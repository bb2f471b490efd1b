#include "dpdkperf/ports/pinned_buffers.hpp"

#include <vector>

#include <rte_errno.h>
#include <rte_malloc.h>

namespace dpdkperf::ports {

Result<std::unique_ptr<PinnedBuffers>> PinnedBuffers::create(
    const std::string& name, std::uint32_t mbufs, std::uint32_t cache_mbufs, int numa_node)
{
    std::unique_ptr<PinnedBuffers> made{new PinnedBuffers};
    for (std::size_t i = 0; i < kCount; ++i) {
        // Aligned to its size, it lies in one page of whatever size.
        void* const memory = rte_malloc_socket(nullptr, 65'536, 65'536, numa_node);
        if (memory == nullptr) {
            return Error{Errc::kDevice, name + ": no memory for a buffer of 64 KB"};
        }
        Buffer& buffer = made->buffers_[i];
        buffer.bytes = static_cast<std::byte*>(memory);
        // Every element of the pool names the same memory.
        const rte_pktmbuf_extmem whole{memory, rte_malloc_virt2iova(memory), kBytes, kBytes};
        const std::vector<rte_pktmbuf_extmem> elements(mbufs, whole);
        buffer.pool = rte_pktmbuf_pool_create_extbuf((name + "-" + std::to_string(i)).c_str(),
            mbufs, cache_mbufs, 0, kBytes, numa_node, elements.data(), mbufs);
        if (buffer.pool == nullptr) {
            return Error{Errc::kDevice, name + ": no memory for " + std::to_string(mbufs) +
                                            " packet buffers: " + rte_strerror(rte_errno)};
        }
    }
    return made;
}

PinnedBuffers::~PinnedBuffers()
{
    for (const Buffer& buffer : buffers_) {
        rte_mempool_free(buffer.pool);
        rte_free(buffer.bytes);
    }
}

}  // namespace dpdkperf::ports
