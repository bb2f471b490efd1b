#pragma once

#include "dpdkperf/ports/eal.hpp"

#include <functional>

namespace dpdkperf {

// The EAL of this test executable, without root and hugepages, with one lcore and no device.
// Ports are made by the tests: see make_vdev().
const ports::Eal& test_eal();

// Creates a virtual device ("net_ring0", "net_null0") and gives its port number.
std::uint16_t make_vdev(const char* name, const char* arguments);

// Waits up to 10 s for what pollers bring about; true as soon as it holds.
bool eventually(const std::function<bool()>& condition);

}  // namespace dpdkperf
