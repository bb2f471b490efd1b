#include "complete_checksum.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

namespace dpdkperf::drivers {

namespace {

// The checksum field behind `l4_offset`; null if it is no TCP or UDP, or not in the first mbuf.
std::uint16_t* checksum_field(rte_mbuf& frame, std::uint8_t protocol, std::uint16_t l4_offset)
{
    std::size_t field = l4_offset;
    if (protocol == IPPROTO_TCP) {
        field += offsetof(rte_tcp_hdr, cksum);
    } else if (protocol == IPPROTO_UDP) {
        field += offsetof(rte_udp_hdr, dgram_cksum);
    } else {
        return nullptr;
    }
    return field + sizeof(std::uint16_t) <= frame.data_len
               ? rte_pktmbuf_mtod_offset(&frame, std::uint16_t*, field)
               : nullptr;
}

// The ones' complement sum of `bytes` from `offset` on, which may lie in several mbufs; false if
// there are fewer. (rte_raw_cksum_mbuf() of DPDK 22.11 loses a carry at an odd border.)
bool sum_of(const rte_mbuf& frame, std::uint32_t offset, std::uint32_t bytes, std::uint32_t& sum)
{
    bool odd = false;
    for (const rte_mbuf* m = &frame; m != nullptr && bytes > 0; m = m->next) {
        const std::uint32_t skipped = std::min<std::uint32_t>(offset, m->data_len);
        const std::uint32_t here = std::min<std::uint32_t>(bytes, m->data_len - skipped);
        const std::uint16_t part =
            rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void*, skipped), here);
        sum += odd ? rte_bswap16(part) : part;
        odd ^= (here & 1) != 0;
        offset -= skipped;
        bytes -= here;
    }
    return bytes == 0;
}

// Writes the sum over `l4_bytes` behind `l4_offset` and a pseudo-header of sum `pseudo`.
void complete(rte_mbuf& frame, std::uint16_t& field, std::uint16_t l4_offset,
    std::uint32_t l4_bytes, std::uint16_t pseudo)
{
    field = 0;
    std::uint32_t sum = pseudo;
    if (!sum_of(frame, l4_offset, l4_bytes, sum)) {
        return;  // shorter than its header says: wrong, and the kernel shall see it
    }
    sum = (sum & 0xffff) + (sum >> 16);
    const auto checksum = static_cast<std::uint16_t>(~(sum + (sum >> 16)));
    field = checksum == 0 ? 0xffff : checksum;  // 0 says that there is none (RFC 768)
}

void complete_ipv4(rte_mbuf& frame)
{
    const auto& ip = *rte_pktmbuf_mtod_offset(&frame, rte_ipv4_hdr*, RTE_ETHER_HDR_LEN);
    constexpr std::uint16_t kFragment = RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK;
    if (frame.data_len < RTE_ETHER_HDR_LEN + sizeof ip ||
        (rte_be_to_cpu_16(ip.fragment_offset) & kFragment) != 0) {
        return;
    }
    const std::uint16_t header_bytes = rte_ipv4_hdr_len(&ip);
    const std::uint16_t bytes = rte_be_to_cpu_16(ip.total_length);
    const auto l4 = static_cast<std::uint16_t>(RTE_ETHER_HDR_LEN + header_bytes);
    std::uint16_t* const field = checksum_field(frame, ip.next_proto_id, l4);
    if (field != nullptr && bytes > header_bytes) {
        complete(frame, *field, l4, static_cast<std::uint32_t>(bytes - header_bytes),
            rte_ipv4_phdr_cksum(&ip, 0));
    }
}

void complete_ipv6(rte_mbuf& frame)
{
    const auto& ip = *rte_pktmbuf_mtod_offset(&frame, rte_ipv6_hdr*, RTE_ETHER_HDR_LEN);
    constexpr std::uint16_t kL4 = RTE_ETHER_HDR_LEN + sizeof ip;
    if (frame.data_len < kL4) {
        return;
    }
    if (std::uint16_t* const field = checksum_field(frame, ip.proto, kL4)) {
        complete(frame, *field, kL4, rte_be_to_cpu_16(ip.payload_len), rte_ipv6_phdr_cksum(&ip, 0));
    }
}

}  // namespace

void complete_checksum(rte_mbuf& frame) noexcept
{
    const bool vouched =
        (frame.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
    if (!vouched || frame.data_len < RTE_ETHER_HDR_LEN) {
        return;
    }
    switch (rte_be_to_cpu_16(rte_pktmbuf_mtod(&frame, rte_ether_hdr*)->ether_type)) {
    case RTE_ETHER_TYPE_IPV4:
        return complete_ipv4(frame);
    case RTE_ETHER_TYPE_IPV6:
        return complete_ipv6(frame);
    default:
        return;
    }
}

}  // namespace dpdkperf::drivers
