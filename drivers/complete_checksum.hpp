#pragma once

struct rte_mbuf;

namespace dpdkperf::drivers {

// Gives a received TCP or UDP packet its checksum if its device has only vouched for the data
// (RTE_MBUF_F_RX_L4_CKSUM_NONE): a Linux peer behind virtio leaves the sum of the pseudo-header,
// which the kernel would take for an error. Anything else stays as it is.
void complete_checksum(rte_mbuf& frame) noexcept;

}  // namespace dpdkperf::drivers
