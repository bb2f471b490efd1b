#pragma once

// What the XDP program drivers/steer.bpf.c and the process that owns it share: keys and values of
// its maps. C, because both sides compile it.

#include <linux/types.h>

enum {
    kSteerMaxQueues = 64,
    // 1,024 streams at a time, and as many that are being closed.
    kSteerMaxFlows = 2048,
    kSteerMaxPeers = 1024,
};

// An owner that has been silent for longer is taken for dead.
#define STEER_PATIENCE_NS 2000000000ULL

// Values of map `flows`: who has claimed it.
enum {
    kSteerByOwner = 1,
    kSteerBySyn = 2,  // of a claimed peer; goes with the peer's claim if the owner does not take it
};

// Maps `flows` and `peers`. Addresses in wire order, IPv4 mapped (::ffff:a.b.c.d); ports in host
// order; local is the receiving side, that is the destination of the packets. In `peers`
// remote_port is 0.
struct SteerKey {
    __u32 local[4];
    __u32 remote[4];
    __u16 local_port;
    __u16 remote_port;
    __u8 protocol;
    __u8 zero[3];
};

// Map `owner`, one element. CLOCK_MONOTONIC, which is bpf_ktime_get_ns().
struct SteerOwner {
    __u64 heartbeat_ns;
};
