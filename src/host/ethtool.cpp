#include "ethtool.hpp"

#include "system_error.hpp"

#include <cerrno>
#include <cstring>

#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace dpdkperf::host {

int ethtool(const Interface& interface, void* command)
{
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::strncpy(request.ifr_name, interface.name.c_str(), sizeof request.ifr_name - 1);
    request.ifr_data = static_cast<char*>(command);
    return ioctl(socket.get(), SIOCETHTOOL, &request) == 0 ? 0 : errno;
}

}  // namespace dpdkperf::host
