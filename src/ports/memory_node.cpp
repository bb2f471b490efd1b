#include "dpdkperf/ports/memory_node.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <rte_malloc.h>
#include <rte_memory.h>

namespace dpdkperf::ports {

namespace {

bool has_free_pages(int node)
{
    namespace fs = std::filesystem;
    const auto folder = "/sys/devices/system/node/node" + std::to_string(node) + "/hugepages";
    std::error_code failed;
    for (const auto& size : fs::directory_iterator{folder, failed}) {
        std::size_t pages = 0;
        std::ifstream{size.path() / "free_hugepages"} >> pages;
        if (pages > 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

int memory_node(int wanted)
{
    rte_malloc_socket_stats heap{};
    const bool has_heap = wanted >= 0 && rte_malloc_get_socket_stats(wanted, &heap) == 0 &&
                          heap.heap_totalsz_bytes > 0;
    return has_heap || (wanted >= 0 && has_free_pages(wanted)) ? wanted : SOCKET_ID_ANY;
}

}  // namespace dpdkperf::ports
