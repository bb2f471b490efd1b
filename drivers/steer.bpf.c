// The XDP program of an af_xdp port: packets that dpdkperf has claimed go to the AF_XDP socket
// of the queue they arrived on, all others stay the kernel's. Claims come and go at run time.

#include "steer_maps.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

// IPv4 flags and fragment offset (RFC 791, 3.1): either is set in every fragment.
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, kSteerMaxQueues);
    __type(key, __u32);
    __type(value, __u32);
} xsks SEC(".maps");

// Exactly these flows are claimed.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, kSteerMaxFlows);
    __type(key, struct SteerKey);
    __type(value, __u8);
} flows SEC(".maps");

// From these addresses every UDP port is claimed, and every TCP flow that begins now.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, kSteerMaxPeers);
    __type(key, struct SteerKey);
    __type(value, __u8);
} peers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct SteerOwner);
} owner SEC(".maps");

// Claimed packets dropped for want of a socket, by queue; the last element counts for all
// queues from there on.
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, kSteerMaxQueues);
    __type(key, __u32);
    __type(value, __u64);
} stray SEC(".maps");

struct packet {
    struct SteerKey key __attribute__((aligned(8)));
    __u64 protocol;  // a slot of the stack each: see put()
    __u64 opens;     // TCP: SYN without ACK
};

// Eight bytes of a key, in one store. Without CAP_PERFMON Linux 6.1 refuses a program that writes
// to one half of a stack slot what it knows the bounds of, and then to the other ("attempt to
// corrupt spilled pointer on stack").
static __always_inline void put(void* slot, __u64 value)
{
    *(volatile __u64*)slot = value;
}

static __always_inline __u64 pair(__u32 first, __u32 second)
{
    return first | (__u64)second << 32;  // the machine is little endian
}

static __always_inline void put_address(__u32 to[4], __u32 a, __u32 b, __u32 c, __u32 d)
{
    put(&to[0], pair(a, b));
    put(&to[2], pair(c, d));
}

// What of a key is behind the addresses.
static __always_inline void put_ports(
    struct SteerKey* key, __u16 local_port, __u16 remote_port, __u8 protocol)
{
    put(&key->local_port, local_port | (__u64)remote_port << 16 | (__u64)protocol << 32);
}

// The functions below return 0 for packets that are the kernel's, whatever is claimed.

static __always_inline int parse_ports(struct packet* p, void* from, void* end, __u8 protocol)
{
    struct udphdr* ports = from;  // TCP begins with the same two (RFC 9293, 3.1)
    if ((void*)(ports + 1) > end) {
        return 0;
    }
    put_ports(&p->key, bpf_ntohs(ports->dest), bpf_ntohs(ports->source), protocol);
    p->protocol = protocol;
    if (protocol == IPPROTO_UDP) {
        return 1;
    }
    struct tcphdr* tcp = from;
    if (protocol != IPPROTO_TCP || (void*)(tcp + 1) > end) {
        return 0;
    }
    p->opens = tcp->syn && !tcp->ack;
    return 1;
}

// Behind an IPv4 header of `words`, which are 5 to 15. A pointer to packets moves by a number in
// the instruction: by one in a register, which the compiler would make of these cases, it moves
// only for who has CAP_PERFMON.
static __always_inline void* behind(void* from, __u32 words)
{
#define BEHIND(words, bytes)                                                                       \
    case words:                                                                                    \
        asm volatile("%0 += %1" : "+r"(from) : "i"(bytes));                                        \
        break

    switch (words) {
        BEHIND(5, 20);
        BEHIND(6, 24);
        BEHIND(7, 28);
        BEHIND(8, 32);
        BEHIND(9, 36);
        BEHIND(10, 40);
        BEHIND(11, 44);
        BEHIND(12, 48);
        BEHIND(13, 52);
        BEHIND(14, 56);
        BEHIND(15, 60);
    }
    return from;
#undef BEHIND
}

static __always_inline int parse_ipv4(struct packet* p, void* from, void* end)
{
    struct iphdr* ip = from;
    if ((void*)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) {
        return 0;
    }
    if (ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) {
        return 0;
    }
    put_address(p->key.local, 0, 0, bpf_htonl(0xffff), ip->daddr);
    put_address(p->key.remote, 0, 0, bpf_htonl(0xffff), ip->saddr);
    return parse_ports(p, behind(from, ip->ihl), end, ip->protocol);
}

// Extension headers, the fragment header among them, are the kernel's.
static __always_inline int parse_ipv6(struct packet* p, void* from, void* end)
{
    struct ipv6hdr* ip = from;
    if ((void*)(ip + 1) > end || ip->version != 6) {
        return 0;
    }
    const __u32* to = ip->daddr.in6_u.u6_addr32;
    const __u32* by = ip->saddr.in6_u.u6_addr32;
    put_address(p->key.local, to[0], to[1], to[2], to[3]);
    put_address(p->key.remote, by[0], by[1], by[2], by[3]);
    return parse_ports(p, ip + 1, end, ip->nexthdr);
}

static __always_inline int parse(struct packet* p, void* from, void* end)
{
    struct ethhdr* eth = from;
    if ((void*)(eth + 1) > end) {
        return 0;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        return parse_ipv4(p, eth + 1, end);
    }
    return eth->h_proto == bpf_htons(ETH_P_IPV6) && parse_ipv6(p, eth + 1, end);
}

static __always_inline int owner_is_alive(void)
{
    __u32 only = 0;
    struct SteerOwner* o = bpf_map_lookup_elem(&owner, &only);
    return o && bpf_ktime_get_ns() < o->heartbeat_ns + STEER_PATIENCE_NS;
}

static __always_inline int is_claimed(struct packet* p)
{
    if (bpf_map_lookup_elem(&flows, &p->key)) {
        return 1;
    }
    struct SteerKey peer __attribute__((aligned(8))) = p->key;
    put_ports(&peer, p->key.local_port, 0, (__u8)p->protocol);
    if (!bpf_map_lookup_elem(&peers, &peer)) {
        return 0;
    }
    if (p->protocol == IPPROTO_UDP) {
        return 1;
    }
    // A peer's other TCP connections to this port, iperf3's control connection first of all,
    // are the kernel's; one that opens now is claimed from its first segment on.
    __u8 claimed = kSteerBySyn;
    return p->opens && bpf_map_update_elem(&flows, &p->key, &claimed, BPF_ANY) == 0;
}

static __always_inline void count_stray(__u32 queue)
{
    __u32 slot = queue < kSteerMaxQueues ? queue : kSteerMaxQueues - 1;
    __u64* n = bpf_map_lookup_elem(&stray, &slot);
    if (n) {
        ++*n;
    }
}

SEC("xdp")
int dpdkperf_steer(struct xdp_md* context)
{
    struct packet p = {};
    if (!parse(&p, (void*)(long)context->data, (void*)(long)context->data_end)) {
        return XDP_PASS;
    }
    if (!owner_is_alive() || !is_claimed(&p)) {
        return XDP_PASS;
    }
    // Must not reach the kernel's UDP or TCP: it would answer for us. The flags are the verdict
    // for a queue without a socket (bpf-helpers(7)).
    int verdict = bpf_redirect_map(&xsks, context->rx_queue_index, XDP_DROP);
    if (verdict == XDP_DROP) {
        count_stray(context->rx_queue_index);
    }
    return verdict;
}

// Kernels before 5.8 give bpf_ktime_get_ns() to programs under the GPL only.
char program_license[] SEC("license") = "Dual MIT/GPL";
