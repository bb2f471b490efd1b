#include "udp_stream.hpp"

namespace dpdkperf::engine {

void UdpStream::fill(stats::Snapshot& snapshot, Moment /*now*/) const noexcept
{
    snapshot.bytes = {bytes_done.read()};
    const FrameBytes frame = udp_frame(spec.datagram, local.address.is_v4());
    if (sends()) {
        snapshot.packets = datagrams_done.read();
        snapshot.offered = stamped;
        snapshot.sent_frames.add(frame, snapshot.packets);
        snapshot.ring_full = ring_full;
        return;
    }
    snapshot.packets = receiver.highest();
    snapshot.lost = receiver.lost();
    snapshot.out_of_order = receiver.out_of_order();
    snapshot.jitter_s = receiver.jitter_s();
    snapshot.arrived = receiver.arrived();
    snapshot.duplicates = receiver.duplicates();
    snapshot.received_frames.add(frame, snapshot.arrived);
}

}  // namespace dpdkperf::engine
