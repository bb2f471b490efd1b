#include "packet_pool.hpp"

#include <cstddef>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

namespace dpdkperf::ports {

namespace {

void free_memory(rte_mempool_memhdr* /*memory*/, void* address)
{
    rte_free(address);
}

// One buffer to a page and no gap anywhere: elements that are as long as a page, in memory that
// begins at one. rte_pktmbuf_pool_create() makes neither.
bool fill_with_pages(rte_mempool& pool, int numa_node)
{
    const std::size_t bytes = std::size_t{pool.size} * kPagedMbufBytes;
    if (pool.header_size + pool.elt_size + pool.trailer_size != kPagedMbufBytes) {
        rte_errno = EINVAL;
        return false;
    }
    void* const memory = rte_malloc_socket(nullptr, bytes, kPagedMbufBytes, numa_node);
    if (memory == nullptr) {
        rte_errno = ENOMEM;
        return false;
    }
    const int filled = rte_mempool_populate_iova(&pool, static_cast<char*>(memory),
        rte_malloc_virt2iova(memory), bytes, free_memory, memory);
    if (filled < 0) {
        rte_free(memory);  // else the pool's
        rte_errno = -filled;
        return false;
    }
    rte_errno = ENOMEM;
    return static_cast<std::uint32_t>(filled) == pool.size;
}

rte_mempool* create_paged(const std::string& name, const PortPlan& plan)
{
    rte_pktmbuf_pool_private sizes{};
    sizes.mbuf_data_room_size =
        static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM + plan.data_room_bytes);
    rte_mempool* const pool = rte_mempool_create_empty(name.c_str(), plan.pool_mbufs,
        static_cast<unsigned>(sizeof(rte_mbuf)) + sizes.mbuf_data_room_size, plan.cache_mbufs,
        sizeof sizes, plan.numa_node, RTE_MEMPOOL_F_NO_SPREAD);
    if (pool == nullptr) {
        return nullptr;
    }
    rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr);
    rte_pktmbuf_pool_init(pool, &sizes);
    if (!fill_with_pages(*pool, plan.numa_node)) {
        rte_mempool_free(pool);
        return nullptr;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
    return pool;
}

}  // namespace

rte_mempool* create_packet_pool(const std::string& name, const PortPlan& plan)
{
    if (plan.paged_mbufs) {
        return create_paged(name, plan);
    }
    return rte_pktmbuf_pool_create(name.c_str(), plan.pool_mbufs, plan.cache_mbufs, 0,
        static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM + plan.data_room_bytes), plan.numa_node);
}

}  // namespace dpdkperf::ports
