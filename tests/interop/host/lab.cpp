#include "lab.hpp"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include <unistd.h>

namespace dpdkperf::host {

namespace {

void run_each(const std::string& commands, const std::string& prefix)
{
    std::istringstream lines{commands};
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(' ') == std::string::npos) {
            continue;
        }
        const std::string command = prefix + line;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): tests have one thread
        if (std::system(command.c_str()) != 0) {
            throw std::runtime_error{"failed: " + command};
        }
    }
}

}  // namespace

void run(const std::string& commands)
{
    run_each(commands, "");
}

Lab::Lab() : peer_{"hx-" + std::to_string(getpid())}
{
    run("ip netns add " + peer_);
    run("ip link add hx0 index 10 address 02:00:00:00:00:01 type veth"
        " peer name hx1 address 02:00:00:00:00:02 netns " +
        peer_);
    run(R"(
        ip addr add 10.9.0.1/24 dev hx0
        ip addr add fd09::1/64 dev hx0 nodad
        sysctl -qw net.ipv6.conf.hx0.accept_dad=0
        ip link set hx0 up
    )");
    run_at_peer(R"(
        ip addr add 10.9.0.2/24 dev hx1
        ip addr add fd09::2/64 dev hx1 nodad
        ip link set hx1 up
    )");
}

Lab::~Lab()
{
    try {
        run("ip netns del " + peer_);
        run("ip link del hx0 2>/dev/null || true");
    } catch (const std::runtime_error&) {
        return;  // the process's own namespace goes with it, and the links in it
    }
}

void Lab::run_at_peer(const std::string& commands)
{
    run_each(commands, "ip netns exec " + peer_ + " ");
}

}  // namespace dpdkperf::host
