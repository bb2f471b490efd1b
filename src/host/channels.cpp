#include "dpdkperf/host/netlink.hpp"
#include "ethtool.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>

#include <linux/ethtool.h>

namespace dpdkperf::host {

Result<std::uint32_t> active_rx_queues(const Interface& interface)
{
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    switch (const int error = ethtool(interface, &channels)) {
    case 0:
        // A combined channel receives too (linux/ethtool.h).
        return std::max(1U, channels.rx_count + channels.combined_count);
    case EOPNOTSUPP:
        return interface.rx_queues;  // a driver that cannot change their number
    default:
        return system_error("channels of interface " + interface.name, error);
    }
}

}  // namespace dpdkperf::host
