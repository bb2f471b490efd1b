#include "dpdkperf/ports/exception_path.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <rte_errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace dpdkperf::ports {

namespace {

Error failed(const std::string& what, const char* reason)
{
    return {Errc::kSystem, what + ": " + reason};
}

void free_all(rte_ring* ring) noexcept
{
    void* mbuf = nullptr;
    while (rte_ring_dequeue(ring, &mbuf) == 0) {
        rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
    }
    rte_ring_free(ring);
}

}  // namespace

Result<std::unique_ptr<ExceptionPath>> ExceptionPath::create(const std::string& name, int numa_node)
{
    rte_ring* const to = rte_ring_create(
        (name + "-to").c_str(), kCapacity, numa_node, RING_F_SC_DEQ | RING_F_EXACT_SZ);
    rte_ring* const from = rte_ring_create((name + "-from").c_str(), kCapacity, numa_node,
        RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (to == nullptr || from == nullptr || fd < 0) {
        const Error error = fd < 0
                                ? failed("eventfd", std::strerror(errno))
                                : failed("rings for the kernel's packets", rte_strerror(rte_errno));
        rte_ring_free(to);
        rte_ring_free(from);
        if (fd >= 0) {
            close(fd);
        }
        return error;
    }
    return std::unique_ptr<ExceptionPath>{new ExceptionPath{to, from, fd}};
}

ExceptionPath::~ExceptionPath()
{
    free_all(to_kernel_);
    free_all(from_kernel_);
    close(wake_fd_);
}

bool ExceptionPath::to_kernel(rte_mbuf* mbuf) noexcept
{
    if (rte_ring_enqueue(to_kernel_, mbuf) != 0) {
        return false;
    }
    // Pairs with prepare_to_sleep(): either it sees the packet, or we see that it sleeps.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) && asleep_.exchange(false)) {
        eventfd_write(wake_fd_, 1);
    }
    return true;
}

std::uint16_t ExceptionPath::from_kernel(std::span<rte_mbuf*> slots) noexcept
{
    return static_cast<std::uint16_t>(rte_ring_dequeue_burst(from_kernel_,
        reinterpret_cast<void**>(slots.data()), static_cast<unsigned>(slots.size()), nullptr));
}

std::uint16_t ExceptionPath::received(std::span<rte_mbuf*> slots) noexcept
{
    return static_cast<std::uint16_t>(rte_ring_dequeue_burst(to_kernel_,
        reinterpret_cast<void**>(slots.data()), static_cast<unsigned>(slots.size()), nullptr));
}

std::uint16_t ExceptionPath::send(std::span<rte_mbuf*> mbufs) noexcept
{
    return static_cast<std::uint16_t>(rte_ring_enqueue_burst(from_kernel_,
        reinterpret_cast<void**>(mbufs.data()), static_cast<unsigned>(mbufs.size()), nullptr));
}

bool ExceptionPath::prepare_to_sleep() noexcept
{
    asleep_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (rte_ring_empty(to_kernel_) != 0) {
        return true;
    }
    asleep_.store(false, std::memory_order_relaxed);
    return false;
}

void ExceptionPath::woke_up() noexcept
{
    asleep_.store(false, std::memory_order_relaxed);
    eventfd_t ignored = 0;
    eventfd_read(wake_fd_, &ignored);
}

}  // namespace dpdkperf::ports
