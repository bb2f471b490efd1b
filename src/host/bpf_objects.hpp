#pragma once

#include <cstddef>
#include <span>

namespace dpdkperf::host {

// ELF objects of the BPF programs in drivers/, as the build made them.
std::span<const std::byte> steer_object();
std::span<const std::byte> handover_object();

}  // namespace dpdkperf::host
