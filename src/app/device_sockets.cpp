#include "device_sockets.hpp"

#include "dpdkperf/host/unique_fd.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace dpdkperf::app {

namespace {

// The value of ",name=" among a device's arguments; empty without it.
std::string_view value_of(std::string_view device, std::string_view name)
{
    while (!device.empty()) {
        const std::string_view word = device.substr(0, device.find(','));
        if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) {
            return word.substr(name.size() + 1);
        }
        device.remove_prefix(std::min(word.size() + 1, device.size()));
    }
    return {};
}

// The file that a device serves; empty if it serves none. memif's default is a client's role, and
// an abstract socket, which has no file (rte_eth_memif.c, DPDK 22.11).
std::string_view served_by(std::string_view argument)
{
    if (const auto at = argument.find("net_memif"); at != argument.npos) {
        const std::string_view device = argument.substr(at);
        const std::string_view role = value_of(device, "role");
        const bool serves = role == "server" || role == "master";
        return serves && value_of(device, "socket-abstract") == "no" ? value_of(device, "socket")
                                                                     : std::string_view{};
    }
    if (const auto at = argument.find("net_vhost"); at != argument.npos) {
        const std::string_view device = argument.substr(at);
        return value_of(device, "client") == "1" ? std::string_view{} : value_of(device, "iface");
    }
    return {};
}

// Asks for a kind of socket that neither serves: who is alive says so and does not notice.
bool is_served(const std::string& path)
{
    const host::UniqueFd probe{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
               0 ||
           errno == EPROTOTYPE;
}

Status claim(const std::string& path, host::Keeper& keeper)
{
    std::error_code ignored;
    if (std::filesystem::is_socket(path, ignored)) {
        if (is_served(path)) {
            return Error{Errc::kBusy, "socket " + path +
                                          " is served by another process; end that one, or give "
                                          "the device a path of its own"};
        }
        unlink(path.c_str());
    }
    const auto full = std::filesystem::absolute(path, ignored);
    auto token = keeper.undo(host::RemoveFile{full.string()});
    return token ? Status{} : std::move(token).error();
}

}  // namespace

Status claim_device_sockets(const std::vector<std::string>& eal_arguments, host::Keeper& keeper)
{
    for (const std::string& argument : eal_arguments) {
        if (const std::string path{served_by(argument)}; !path.empty()) {
            if (Status status = claim(path, keeper); !status) {
                return status;
            }
        }
    }
    return {};
}

}  // namespace dpdkperf::app
