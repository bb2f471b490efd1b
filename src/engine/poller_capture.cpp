#include "dpdkperf/wire/tcp_view.hpp"
#include "dpdkperf/wire/udp_view.hpp"
#include "poller.hpp"

#include <array>
#include <span>

namespace dpdkperf::engine {

void Poller::show_received(std::span<rte_mbuf* const> mbufs) noexcept
{
    if (!captured_->wants(capture::Direction::kReceived)) {
        return;
    }
    std::array<rte_mbuf*, ports::kMostBurst> ours;
    std::size_t count = 0;
    for (rte_mbuf* mbuf : mbufs) {
        if (is_of_a_stream(*mbuf)) {
            ours[count++] = mbuf;
        }
    }
    captured_->received(std::span{ours}.first(count));
}

// Those that open a stream of a server's test included. What is broken is of none.
bool Poller::is_of_a_stream(const rte_mbuf& mbuf) noexcept
{
    const std::span frame{rte_pktmbuf_mtod(&mbuf, const std::byte*), mbuf.data_len};
    if (wire::carries_tcp(frame)) {
        const wire::TcpView view = wire::parse_tcp(frame, mbuf.pkt_len);
        const bool opens = (view.header.flags & (wire::kTcpSyn | wire::kTcpAck)) == wire::kTcpSyn;
        return view.fault == wire::TcpFault::kNone &&
               (tcp_.find(view.destination, view.source) != nullptr ||
                   (opens && serving(view.destination, view.source.address, true) != nullptr));
    }
    const wire::UdpView view = wire::parse_udp(frame);
    return view.fault == wire::UdpFault::kNone &&
           (flows_.find(view.destination, view.source) != nullptr ||
               serving(view.destination, view.source.address, false) != nullptr);
}

}  // namespace dpdkperf::engine
