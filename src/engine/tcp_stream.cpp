#include "tcp_stream.hpp"

#include "session.hpp"

namespace dpdkperf::engine {

std::uint64_t TcpStream::sent_prefix() const
{
    return session->spec.server ? 0 : traffic::TcpSpec::kCookieBytes;
}

std::uint64_t TcpStream::received_prefix() const
{
    return session->spec.server ? traffic::TcpSpec::kCookieBytes : 0;
}

std::uint64_t TcpStream::limit() const
{
    return spec.max_datagrams == 0 ? ~std::uint64_t{0}
                                   : sent_prefix() + spec.max_datagrams * spec.datagram.value;
}

void TcpStream::fill(stats::Snapshot& snapshot, Moment now) const noexcept
{
    snapshot.bytes = {bytes_done.read()};
    if (!sends()) {
        return;
    }
    const tcp::Info info = connection.info(now);
    snapshot.retransmits = info.segments_retransmitted;
    snapshot.cwnd_bytes = info.cwnd_bytes;
    snapshot.peer_window_bytes = info.peer_window_bytes;
    snapshot.rtt_us = static_cast<std::uint64_t>(info.rtt.count());
    snapshot.rttvar_us = static_cast<std::uint64_t>(info.rttvar.count());
    snapshot.path_mtu_bytes = info.path_mtu_bytes;
    snapshot.reordering = info.reordering;
}

void TcpStream::stop() noexcept
{
    connection.withdraw();
    due = true;
}

}  // namespace dpdkperf::engine
