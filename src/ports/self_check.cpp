#include "dpdkperf/ports/self_check.hpp"

#include <cstddef>
#include <memory>
#include <optional>

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

namespace dpdkperf::ports {

namespace {

struct Headers {
    rte_ether_hdr ethernet;
    rte_ipv4_hdr ip;
    rte_tcp_hdr tcp;
};
static_assert(sizeof(Headers) == 54);

constexpr std::uint16_t kPacketBytes = 1448;  // payload of a packet

struct FreeFrame {
    void operator()(rte_mbuf* mbuf) const noexcept { rte_pktmbuf_free(mbuf); }
};
using Frame = std::unique_ptr<rte_mbuf, FreeFrame>;

// As much of TCP over IPv4 as drivers look at.
Headers headers()
{
    Headers made{};
    made.ethernet.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    made.ip.version_ihl = RTE_IPV4_VHL_DEF;
    made.ip.next_proto_id = IPPROTO_TCP;
    made.tcp.data_off = sizeof made.tcp / 4 << 4;
    return made;
}

// Null: no memory.
Frame frame_of(const QueuePair& pair, std::uint32_t payload_bytes, std::uint32_t pieces)
{
    Frame frame{rte_pktmbuf_alloc(pair.pool)};
    if (frame == nullptr) {
        return frame;
    }
    *rte_pktmbuf_mtod(frame.get(), Headers*) = headers();
    frame->data_len = sizeof(Headers);
    frame->pkt_len = frame->data_len + payload_bytes;
    rte_mbuf* last = frame.get();
    for (std::uint32_t i = 0; i < pieces; ++i) {
        last->next = pair.pinned->alias(pair.pinned->buffer(0).first(payload_bytes / pieces));
        if (last->next == nullptr) {
            return {};
        }
        last = last->next;
        ++frame->nb_segs;
    }
    return frame;
}

// Why the driver refuses the frame; none: it does not.
std::optional<std::string> objection(const QueuePair& pair, const Frame& frame)
{
    if (frame == nullptr) {
        return "no memory";
    }
    rte_mbuf* asked = frame.get();
    rte_errno = 0;
    if (rte_eth_tx_prepare(pair.port_id, pair.queue_id, &asked, 1) == 1) {
        return {};
    }
    return rte_strerror(rte_errno);
}

}  // namespace

SelfCheck check_transmit(const QueuePair& pair)
{
    if (pair.pinned == nullptr) {
        return {.text = "nothing to ask: one buffer per packet"};
    }
    if (const auto why = objection(pair, frame_of(pair, kPacketBytes, 1))) {
        return {.text = "the driver refuses a packet in 2 buffers: " + *why};
    }
    if (!pair.tso) {
        return {.chains = true, .text = "the driver takes a packet in 2 buffers"};
    }
    const Frame whole = frame_of(pair, kMostTsoBytes, kMostTsoPieces);
    if (whole != nullptr) {
        whole->tx_offload = rte_mbuf_tx_offload(sizeof(rte_ether_hdr), sizeof(rte_ipv4_hdr),
            sizeof(rte_tcp_hdr), kPacketBytes, 0, 0, 0);
        whole->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 |
                           RTE_MBUF_F_TX_IP_CKSUM;
    }
    const std::string asked = "a segment of " + std::to_string(kMostTsoBytes) + " bytes in " +
                              std::to_string(kMostTsoPieces + 1) + " buffers";
    if (const auto why = objection(pair, whole)) {
        return {.chains = true, .text = "the driver refuses " + asked + ": " + *why};
    }
    return {.chains = true, .tso = true, .text = "the driver takes " + asked};
}

}  // namespace dpdkperf::ports
