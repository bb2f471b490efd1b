#pragma once

// What DPDK 22.11's af_xdp driver keeps when a port is closed (rte_eth_af_xdp.c, eth_dev_close():
// the UMEM's reference count never gets to the value that would delete it, and the program of
// `xdp_prog=` is never closed). A process that ends does not care; one that opens the interface
// again and again, or lets another process have it, does.

namespace dpdkperf::host {

// Ends AF_XDP socket `socket`, which the driver held and will not use again: its rings are
// unmapped and its queue is free for others. Nothing happens if the driver has closed it.
void release_driver_socket(int socket);

// Closes what the driver has loaded from a HandoverObject.
void release_handover_programs();

}  // namespace dpdkperf::host
