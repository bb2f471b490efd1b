#include "link_use.hpp"

namespace dpdkperf::report {

PacketRates rates_of(const stats::FrameCount& count, std::chrono::nanoseconds time)
{
    return {static_cast<double>(count.packets) / seconds(time), bits(count.frames) / seconds(time),
        bits(count.wire) / seconds(time)};
}

std::chrono::nanoseconds own_time(const stats::StreamTotal& stream)
{
    const auto& side = stream.sender ? stream.sent : stream.received;
    return side ? side->time : std::chrono::nanoseconds{0};
}

LinkUse link_use(const stats::Summary& summary)
{
    LinkUse use;
    for (const stats::StreamTotal& stream : summary.streams) {
        use.sent = use.sent + stream.sent_frames;
        use.received = use.received + stream.received_frames;
    }
    if (!summary.streams.empty()) {
        use.time = own_time(summary.streams.front());
    }
    return use;
}

double share_percent(double bits_per_second, std::uint64_t link_bits_per_second)
{
    return 100 * bits_per_second / static_cast<double>(link_bits_per_second);
}

double busy_percent(const stats::PollerLoad& load)
{
    return 100 * static_cast<double>(load.busy_time.count()) /
           static_cast<double>(load.time.count());
}

}  // namespace dpdkperf::report
