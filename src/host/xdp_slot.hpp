#pragma once

#include "dpdkperf/host/netlink.hpp"

#include <bpf/libbpf.h>

namespace dpdkperf::host {

// Success if no XDP program is on the interface, else kBusy, naming the program.
Status expect_free_xdp(const Interface& interface);

// While one exists, libbpf does not write to standard error what it finds remarkable: our callers
// get an Error instead. libbpf knows one printer for the whole process.
class SilentLibbpf {
public:
    SilentLibbpf() : before_{libbpf_set_print(nullptr)} {}
    SilentLibbpf(const SilentLibbpf&) = delete;
    SilentLibbpf& operator=(const SilentLibbpf&) = delete;
    ~SilentLibbpf() { libbpf_set_print(before_); }

private:
    libbpf_print_fn_t before_;
};

}  // namespace dpdkperf::host
