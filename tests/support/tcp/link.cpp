#include "link.hpp"

#include <algorithm>

namespace dpdkperf::tcp::sim {

namespace {

constexpr std::uint32_t kFrameOverhead = 38;  // Ethernet header, FCS, preamble, gap

}  // namespace

bool Link::loses(const Packet& packet)
{
    in_burst_ =
        in_burst_ ? !random_.chance(settings_.burst_leave) : random_.chance(settings_.burst_enter);
    const bool scripted = settings_.drop && settings_.drop(packet, offered_);
    return scripted || in_burst_ || random_.chance(settings_.loss) ||
           packet.ip_bytes() > settings_.mtu_bytes;
}

std::vector<Link::Copy> Link::carry(Packet packet, Moment now)
{
    const bool lost = loses(packet);
    ++offered_;
    if (lost) {
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
    if (random_.chance(settings_.corrupt)) {
        packet.corrupt = true;
        const std::uint64_t bit = random_.below(packet.header_bytes * 8);
        packet.header[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
    Moment at = sent + settings_.delay;
    if (random_.chance(settings_.reorder)) {
        at += settings_.reorder_delay;
    }
    std::vector<Copy> copies{{at, packet}};
    if (random_.chance(settings_.duplicate)) {
        copies.push_back(
            {at + nanoseconds{static_cast<std::int64_t>(random_.below(2'000'000))}, packet});
    }
    return copies;
}

}  // namespace dpdkperf::tcp::sim
