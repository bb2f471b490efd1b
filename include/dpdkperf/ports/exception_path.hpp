#pragma once

#include "dpdkperf/base/result.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <rte_mbuf.h>
#include <rte_ring.h>

namespace dpdkperf::ports {

// The way of packets that are not the data plane's, between the pollers of a port and the thread
// of its kernel twin: two rings of mbufs. Who takes an mbuf out owns it.
//
// The twin's thread sleeps while there is nothing to do; a poller that hands it a packet then
// wakes it with one write to an eventfd, the only system call that a poller makes, at most once
// for each sleep (docs/decisions/0004).
class ExceptionPath {
public:
    // Packets that may wait in either direction.
    static constexpr unsigned kCapacity = 1024;

    // `name`: at most 20 characters, unique in the process. Errors: no memory, no eventfd.
    static Result<std::unique_ptr<ExceptionPath>> create(const std::string& name, int numa_node);
    ExceptionPath(const ExceptionPath&) = delete;
    ExceptionPath& operator=(const ExceptionPath&) = delete;
    ~ExceptionPath();  // frees what still waits; nobody uses it any more

    // Any poller: gives a received packet to the kernel. False: the twin is kCapacity packets
    // behind, and the packet is still the caller's.
    bool to_kernel(rte_mbuf* mbuf) noexcept;

    // One poller: whether the kernel wants to send; up to slots.size() packets of it.
    [[nodiscard]] bool from_kernel_waits() const noexcept
    {
        return rte_ring_empty(from_kernel_) == 0;
    }
    std::uint16_t from_kernel(std::span<rte_mbuf*> slots) noexcept;

    // Twin: up to slots.size() packets that pollers received.
    std::uint16_t received(std::span<rte_mbuf*> slots) noexcept;
    // Twin: how many packets send() will take at least.
    [[nodiscard]] std::size_t room() const noexcept { return rte_ring_free_count(from_kernel_); }
    // Twin: has the packets sent. Returns how many were taken; the rest is still the caller's.
    std::uint16_t send(std::span<rte_mbuf*> mbufs) noexcept;

    // Twin: readable when a poller has something for a twin that is about to sleep.
    [[nodiscard]] int wake_fd() const noexcept { return wake_fd_; }
    // Twin: true if nothing waits, and the next packet will make wake_fd() readable.
    bool prepare_to_sleep() noexcept;
    void woke_up() noexcept;

private:
    ExceptionPath(rte_ring* to_kernel, rte_ring* from_kernel, int wake_fd)
        : to_kernel_{to_kernel}, from_kernel_{from_kernel}, wake_fd_{wake_fd}
    {
    }

    rte_ring* const to_kernel_;    // pollers: write, twin: reads
    rte_ring* const from_kernel_;  // twin: writes, one poller: reads
    const int wake_fd_;
    std::atomic<bool> asleep_{false};  // twin: sets, who wakes it: clears
};

}  // namespace dpdkperf::ports
