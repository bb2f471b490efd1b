#pragma once

#include "dpdkperf/host/unique_fd.hpp"

#include <cstdint>

namespace dpdkperf::host {

// An XDP program called `name` that passes everything, put on interface `interface_index`
// without a bpf_link, as "ip link set xdp" and DPDK's driver do: it stays when we go.
// `mode_flags`: XDP_FLAGS_*_MODE, or 0.
void attach_program(const char* name, int interface_index, std::uint32_t mode_flags = 0);

}  // namespace dpdkperf::host
