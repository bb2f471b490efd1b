#include "dpdkperf/drivers/af_xdp.hpp"

#include "dpdkperf/drivers/families.hpp"
#include "dpdkperf/host/driver_leftovers.hpp"
#include "dpdkperf/host/interface_facts.hpp"
#include "dpdkperf/host/rss_facts.hpp"
#include "dpdkperf/ports/memory_node.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>

namespace dpdkperf::drivers {

namespace {

// A socket for each, and a port of DPDK's for each socket.
constexpr std::uint32_t kMaxQueues =
    std::min<std::uint32_t>(host::XdpProgram::kMaxQueues, RTE_MAX_ETHPORTS);

// What the kernel keeps free in front of a received frame (XDP_PACKET_HEADROOM, linux/bpf.h).
constexpr std::uint32_t kXdpHeadroomBytes = 256;

// The driver takes off the program that it has attached, which has been off for long. That it may
// not any more is nothing to complain of.
class SilentDriver {
public:
    SilentDriver() { rte_log_set_level(type_, RTE_LOG_CRIT); }
    SilentDriver(const SilentDriver&) = delete;
    SilentDriver& operator=(const SilentDriver&) = delete;
    ~SilentDriver() { rte_log_set_level(type_, before_); }

private:
    std::uint32_t type_ = static_cast<std::uint32_t>(rte_log_register("pmd.net.af_xdp"));
    std::uint32_t before_ = static_cast<std::uint32_t>(rte_log_get_level(type_));
};

Status check(const host::Interface& interface)
{
    if (!interface.ethernet) {
        return Error{Errc::kUsage, "interface " + interface.name + " carries no Ethernet frames"};
    }
    if (interface.mtu_bytes > AfXdpPort::kMaxMtuBytes) {
        const std::string most = std::to_string(AfXdpPort::kMaxMtuBytes);
        return Error{Errc::kUsage,
            "interface " + interface.name + " has an MTU of " +
                std::to_string(interface.mtu_bytes) + " bytes, AF_XDP takes at most " + most +
                "; lower it with 'ip link set dev " + interface.name + " mtu " + most + "'"};
    }
    return {};
}

ports::PortPlan plan_for_queue(const host::Interface& interface, const rte_eth_dev_info& info)
{
    // No fast free: mbufs come back one by one from the kernel's completion ring, or through RX.
    auto plan = ports::plan_for(
        {.queue_pairs = 1, .mtu_bytes = interface.mtu_bytes + kXdpHeadroomBytes}, info, families());
    const auto facts = host::interface_facts(interface);
    plan.numa_node = ports::memory_node(facts.numa_node.value_or(-1));
    return plan;
}

}  // namespace

Result<ports::PortPlan> AfXdpPort::plan(const host::Interface& interface, const ports::Eal& eal)
{
    if (Status status = check(interface); !status) {
        return std::move(status).error();
    }
    // A device of this driver does nothing to its interface before its queues are set up.
    constexpr const char* kName = "net_af_xdp_plan";
    std::optional<ports::PortPlan> plan;
    eal.run([&] {
        std::uint16_t id = 0;
        rte_eth_dev_info info{};
        if (rte_eal_hotplug_add("vdev", kName, ("iface=" + interface.name).c_str()) == 0 &&
            rte_eth_dev_get_port_by_name(kName, &id) == 0 && rte_eth_dev_info_get(id, &info) == 0) {
            plan = plan_for_queue(interface, info);
        }
        rte_eal_hotplug_remove("vdev", kName);
    });
    if (!plan) {
        return Error{Errc::kDevice, "interface " + interface.name + ": net_af_xdp refuses it"};
    }
    return *std::move(plan);
}

Result<std::unique_ptr<AfXdpPort>> AfXdpPort::open(
    const host::Interface& interface, const ports::Eal& eal, host::Keeper& keeper)
{
    if (Status status = check(interface); !status) {
        return std::move(status).error();
    }
    auto lock = host::InterfaceLock::acquire(interface.name);
    if (!lock) {
        return std::move(lock).error();
    }
    if (Status status = host::clear_xdp(interface, *lock); !status) {
        return std::move(status).error();
    }
    auto program = host::XdpProgram::load();
    if (!program) {
        return std::move(program).error();
    }
    std::unique_ptr<AfXdpPort> port{
        new AfXdpPort{interface, eal, keeper, *std::move(lock), *std::move(program)}};
    if (Status status = port->open_queues(); !status) {
        return std::move(status).error().within("interface " + interface.name);
    }
    return port;
}

AfXdpPort::AfXdpPort(const host::Interface& interface, const ports::Eal& eal, host::Keeper& keeper,
    host::InterfaceLock lock, std::unique_ptr<host::XdpProgram> program)
    : interface_{interface},
      eal_{eal},
      keeper_{keeper},
      lock_{std::move(lock)},
      program_{std::move(program)}
{
}

AfXdpPort::~AfXdpPort()
{
    close();
}

Status AfXdpPort::open_queues()
{
    auto queues = host::active_rx_queues(interface_);
    if (!queues) {
        return std::move(queues).error();
    }
    if (*queues > kMaxQueues) {
        return Error{Errc::kUsage, std::to_string(*queues) + " receive queues are more than " +
                                       std::to_string(kMaxQueues) +
                                       "; reduce them with 'ethtool -L " + interface_.name +
                                       " combined " + std::to_string(kMaxQueues) + "'"};
    }
    auto handover = host::HandoverObject::create();
    if (!handover) {
        return std::move(handover).error();
    }
    for (std::uint32_t queue = 0; queue < *queues; ++queue) {
        if (Status status = take_queue(queue, *handover); !status) {
            return status;
        }
    }
    return program_->attach(interface_);
}

// The driver's program would stay on the interface if we were killed before it is off again. Ours
// hangs on a link, which goes with us.
Status AfXdpPort::take_queue(std::uint32_t queue, const host::HandoverObject& handover)
{
    auto token = keeper_.undo(host::DetachXdp{.interface_index = interface_.index});
    if (!token) {
        return std::move(token).error();
    }
    Status status;
    eal_.run([&] { status = open_queue(queue, handover); });
    keeper_.done(*token);
    return status;
}

std::string AfXdpPort::device_name(std::uint32_t queue) const
{
    return "net_af_xdp_" + std::to_string(interface_.index) + "_" + std::to_string(queue);
}

Status AfXdpPort::add_device(std::uint32_t queue, const host::HandoverObject& handover)
{
    const std::string name = device_name(queue);
    // busy_budget stays at its default above 0: with 0 the driver may sleep in poll() for a second.
    const std::string arguments = "iface=" + interface_.name +
                                  ",start_queue=" + std::to_string(queue) +
                                  ",queue_count=1,xdp_prog=" + handover.path();
    const int rc = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str());
    if (rc < 0) {
        return Error{Errc::kDevice,
            "net_af_xdp for queue " + std::to_string(queue) + ": " + rte_strerror(-rc)};
    }
    devices_.push_back(name);
    return {};
}

Status AfXdpPort::open_queue(std::uint32_t queue, const host::HandoverObject& handover)
{
    if (Status status = add_device(queue, handover); !status) {
        return status;
    }
    std::uint16_t id = 0;
    rte_eth_dev_info info{};
    if (rte_eth_dev_get_port_by_name(devices_.back().c_str(), &id) != 0 ||
        rte_eth_dev_info_get(id, &info) != 0) {
        return Error{Errc::kDevice, devices_.back() + " is no port"};
    }
    const auto before = host::af_xdp_sockets();
    auto port = ports::Port::configure(id, plan_for_queue(interface_, info));
    if (!port) {
        return std::move(port).error();
    }
    auto after = host::af_xdp_sockets();
    std::erase_if(after, [&](int fd) { return std::ranges::binary_search(before, fd); });
    ports_.push_back(*std::move(port));
    if (after.size() != 1) {
        return Error{Errc::kDevice, devices_.back() + " has " + std::to_string(after.size()) +
                                        " AF_XDP sockets instead of 1"};
    }
    auto attached = host::attached_xdp(interface_.index);
    if (!attached) {
        return std::move(attached).error();
    }
    if (*attached) {
        if (Status status = host::detach_xdp(interface_.index, (*attached)->id); !status) {
            return status;
        }
    }
    sockets_.push_back(after.front());
    if (Status status = program_->set_socket(queue, after.front()); !status) {
        return status;
    }
    queues_.push_back(ports_.back().queue_pairs().front());
    queues_.back().device_queue = static_cast<std::uint16_t>(queue);
    return ports_.back().start();
}

std::optional<ports::RssState> AfXdpPort::rss() const
{
    auto facts = host::rss_facts(interface_);
    if (!facts) {
        return {};
    }
    ports::RssState state{.key = std::move(facts->key), .queues = std::move(facts->queues)};
    state.functions |= facts->tcp4_ports ? RTE_ETH_RSS_NONFRAG_IPV4_TCP : 0;
    state.functions |= facts->udp4_ports ? RTE_ETH_RSS_NONFRAG_IPV4_UDP : 0;
    state.functions |= facts->tcp6_ports ? RTE_ETH_RSS_NONFRAG_IPV6_TCP : 0;
    state.functions |= facts->udp6_ports ? RTE_ETH_RSS_NONFRAG_IPV6_UDP : 0;
    return state;
}

std::string AfXdpPort::driver() const
{
    const auto below = host::interface_facts(interface_).driver;
    return below.empty() ? "net_af_xdp" : "net_af_xdp (" + below + ")";
}

void AfXdpPort::close() noexcept
{
    program_.reset();  // from now on all packets are the kernel's
    eal_.run([this] {
        const SilentDriver silent;
        ports_.clear();
        for (const std::string& device : devices_) {
            rte_eal_hotplug_remove("vdev", device.c_str());
        }
    });
    std::ranges::for_each(sockets_, host::release_driver_socket);
    host::release_handover_programs();
}

}  // namespace dpdkperf::drivers
