#include "lost_mbufs.hpp"

#include <rte_log.h>
#include <rte_mempool.h>

namespace dpdkperf::ports {

void tell_of_lost_mbufs(const std::string& port, rte_mempool& pool, std::uint32_t kept) noexcept
{
    const std::uint32_t missing = rte_mempool_in_use_count(&pool);
    if (missing > kept) {
        rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1,
            "dpdkperf: port %s: %u packet buffers of %s are lost\n", port.c_str(), missing - kept,
            pool.name);
    }
}

}  // namespace dpdkperf::ports
