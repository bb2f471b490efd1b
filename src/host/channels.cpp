#include "dpdkperf/host/netlink.hpp"
#include "system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace dpdkperf::host {

Result<std::uint32_t> active_rx_queues(const Interface& interface)
{
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq request{};
    std::strncpy(request.ifr_name, interface.name.c_str(), sizeof request.ifr_name - 1);
    request.ifr_data = reinterpret_cast<char*>(&channels);
    if (ioctl(socket.get(), SIOCETHTOOL, &request) == 0) {
        // A combined channel receives too (linux/ethtool.h).
        return std::max(1U, channels.rx_count + channels.combined_count);
    }
    if (errno == EOPNOTSUPP) {
        return interface.rx_queues;  // a driver that cannot change their number
    }
    return system_error("channels of interface " + interface.name, errno);
}

}  // namespace dpdkperf::host
