#include "dpdkperf/drivers/kernel_twin.hpp"

#include "complete_checksum.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <span>

#include <poll.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <sys/uio.h>
#include <unistd.h>

namespace dpdkperf::drivers {

namespace {

constexpr std::size_t kBurst = 32;
// How often the port's link is looked at, and the longest sleep.
constexpr std::chrono::milliseconds kLinkPeriod{100};
// After which room for the kernel's packets is looked for again.
constexpr std::chrono::milliseconds kHeldUpPause{1};

// A frame may lie in several mbufs. What the kernel refuses is lost, as on a wire.
void write_frame(int fd, const rte_mbuf& frame) noexcept
{
    std::array<iovec, 64> pieces{};
    std::size_t n = 0;
    for (const rte_mbuf* m = &frame; m != nullptr && n < pieces.size(); m = m->next) {
        pieces[n++] = {rte_pktmbuf_mtod(m, void*), m->data_len};
    }
    if (n == frame.nb_segs) {
        [[maybe_unused]] const ssize_t written = writev(fd, pieces.data(), static_cast<int>(n));
    }
}

}  // namespace

Result<std::unique_ptr<KernelTwin>> KernelTwin::open(const TwinSetup& setup)
{
    auto tap = host::Tap::open(setup.tap);
    if (!tap) {
        return std::move(tap).error();
    }
    auto exceptions = ports::ExceptionPath::create(tap->name(), setup.numa_node);
    if (!exceptions) {
        return std::move(exceptions).error();
    }
    std::unique_ptr<KernelTwin> twin{
        new KernelTwin{setup, *std::move(tap), *std::move(exceptions)}};
    std::promise<int> registered;
    auto outcome = registered.get_future();
    twin->thread_ = std::jthread{
        [&t = *twin, registered = std::move(registered)](const std::stop_token& stop) mutable {
            const bool good = rte_thread_register() == 0;
            registered.set_value(good ? 0 : rte_errno);
            if (good) {
                t.run(stop);
                rte_thread_unregister();
            }
        }};
    if (const int error = outcome.get(); error != 0) {
        return Error{Errc::kDevice, std::string{"no lcore id for the thread of "} +
                                        twin->tap_.name() + ": " + rte_strerror(error)};
    }
    return twin;
}

KernelTwin::KernelTwin(
    const TwinSetup& setup, host::Tap tap, std::unique_ptr<ports::ExceptionPath> exceptions)
    : port_id_{setup.port_id},
      pool_{setup.pool},
      tap_{std::move(tap)},
      exceptions_{std::move(exceptions)}
{
}

KernelTwin::~KernelTwin() = default;

void KernelTwin::run(const std::stop_token& stop) noexcept
{
    auto look_at_link = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        const bool delivered = deliver();
        const bool collected = collect();
        if (const auto now = std::chrono::steady_clock::now(); now >= look_at_link) {
            follow_link();
            look_at_link = now + kLinkPeriod;
        }
        if (!delivered && !collected) {
            sleep();
        }
    }
}

// From the pollers to the kernel.
bool KernelTwin::deliver() noexcept
{
    std::array<rte_mbuf*, kBurst> mbufs;
    const std::uint16_t n = exceptions_->received(mbufs);
    for (rte_mbuf* mbuf : std::span{mbufs}.first(n)) {
        complete_checksum(*mbuf);
        write_frame(tap_.fd(), *mbuf);
    }
    rte_pktmbuf_free_bulk(mbufs.data(), n);
    return n > 0;
}

// From the kernel to the poller that sends for it. What there is no room for the kernel keeps; its
// queue is bounded.
bool KernelTwin::collect() noexcept
{
    std::array<rte_mbuf*, kBurst> mbufs;
    const std::size_t most = std::min(mbufs.size(), exceptions_->room());
    std::size_t n = 0;
    held_up_ = most == 0;
    while (n < most) {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
        if (mbuf == nullptr) {
            held_up_ = true;
            break;
        }
        const ssize_t bytes =
            read(tap_.fd(), rte_pktmbuf_mtod(mbuf, void*), rte_pktmbuf_tailroom(mbuf));
        if (bytes <= 0) {
            rte_pktmbuf_free(mbuf);
            break;
        }
        mbuf->data_len = static_cast<std::uint16_t>(bytes);
        mbuf->pkt_len = mbuf->data_len;
        mbufs[n++] = mbuf;
    }
    exceptions_->send(std::span{mbufs}.first(n));
    return n > 0;
}

void KernelTwin::follow_link() noexcept
{
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(port_id_, &link) != 0) {
        return;
    }
    const bool up = link.link_status == RTE_ETH_LINK_UP;
    if (up != carrier_) {
        tap_.set_carrier(up);
        carrier_ = up;
    }
}

void KernelTwin::sleep() noexcept
{
    if (!exceptions_->prepare_to_sleep()) {
        return;
    }
    const int tap = held_up_ ? -1 : tap_.fd();  // which has something, and would not let us sleep
    std::array<pollfd, 2> events{{{exceptions_->wake_fd(), POLLIN, 0}, {tap, POLLIN, 0}}};
    const auto longest = held_up_ ? kHeldUpPause : kLinkPeriod;
    poll(events.data(), events.size(), static_cast<int>(longest.count()));
    exceptions_->woke_up();
}

}  // namespace dpdkperf::drivers
