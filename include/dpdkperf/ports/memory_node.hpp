#pragma once

namespace dpdkperf::ports {

// The NUMA node that a device's packet memory is to lie on: the device's own, `wanted`, if EAL has
// memory there or can get huge pages there; else SOCKET_ID_ANY, since memory that is far away is
// better than none (rte_malloc_socket() takes it from nowhere else). After EAL has started.
int memory_node(int wanted);

}  // namespace dpdkperf::ports
