#include "link.hpp"

#include <algorithm>

namespace dpdkperf::tcp::sim {

namespace {

constexpr std::uint32_t kFrameOverhead = 38;  // Ethernet header, FCS, preamble, gap

}  // namespace

std::vector<Link::Copy> Link::carry(Packet packet, Moment now)
{
    const bool scripted = settings_.drop && settings_.drop(packet, offered_);
    const bool lost = impairment_.loses(settings_);
    ++offered_;
    if (lost || scripted || packet.ip_bytes() > settings_.mtu_bytes) {
        ++dropped_;
        return {};
    }
    Moment sent = now;
    if (settings_.bits_per_second > 0) {
        busy_until_ = std::max(busy_until_, now);
        const double waiting = std::chrono::duration<double>(busy_until_ - now).count();
        const double queued = waiting * settings_.bits_per_second / 8;
        if (queued + packet.ip_bytes() > static_cast<double>(settings_.queue_bytes)) {
            ++dropped_;
            return {};
        }
        if (settings_.mark_bytes > 0 && packet.ecn != wire::Ecn::kNotCapable &&
            queued > static_cast<double>(settings_.mark_bytes)) {
            packet.ecn = wire::Ecn::kCongested;
        }
        const double seconds =
            (packet.ip_bytes() + kFrameOverhead) * 8.0 / settings_.bits_per_second;
        busy_until_ += nanoseconds{static_cast<std::int64_t>(seconds * 1e9) + 1};
        sent = busy_until_;
    }
    const auto fate = impairment_.fate(settings_, packet.header_bytes * 8);
    if (fate.corrupt_bit) {
        packet.corrupt = true;
        packet.header[*fate.corrupt_bit / 8] ^=
            static_cast<std::byte>(1U << (*fate.corrupt_bit % 8));
    }
    std::vector<Copy> copies{{sent + fate.delay, packet}};
    if (fate.copy_delay) {
        copies.push_back({sent + *fate.copy_delay, packet});
    }
    return copies;
}

}  // namespace dpdkperf::tcp::sim
