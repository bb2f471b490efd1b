// What DPDK's af_xdp driver is given to attach while it opens a queue. The driver loads its own
// program otherwise, which takes every packet; with this one the kernel keeps all of them until
// steer.bpf.c takes the hook over. Its map must have this name and exist: the driver puts the
// queue's socket into it (rte_eth_af_xdp.c, load_custom_xdp_prog(), DPDK 22.11).

#include "steer_maps.h"

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, kSteerMaxQueues);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

SEC("xdp")
int dpdkperf_pass(struct xdp_md* context)
{
    (void)context;
    // Without this the kernel would not list the map as the program's, by which
    // release_handover_programs() finds it (driver_leftovers.cpp).
    __asm__ volatile("" : : "r"(&xsks_map));
    return XDP_PASS;
}

char program_license[] SEC("license") = "Dual MIT/GPL";
