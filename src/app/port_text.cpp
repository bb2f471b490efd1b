#include "port_text.hpp"

#include "dpdkperf/drivers/af_xdp.hpp"
#include "dpdkperf/host/interface_facts.hpp"
#include "dpdkperf/host/rss_facts.hpp"
#include "dpdkperf/ports/port_plan.hpp"

#include <utility>

namespace dpdkperf::app {

namespace {

std::string joined(const std::vector<std::string>& parts)
{
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

std::string pollers(const ports::Eal& eal)
{
    std::vector<std::string> cpus;
    for (const unsigned cpu : eal.poller_cpus()) {
        cpus.push_back(std::to_string(cpu));
    }
    return "pollers: " + std::to_string(eal.poller_lcores().size()) + ", on CPU " + joined(cpus) +
           "\n";
}

std::string spreading(const host::Interface& interface)
{
    const auto rss = host::rss_facts(interface);
    if (!rss) {
        return "spreading: the interface does not tell; what comes to another poller is handed "
               "over\n";
    }
    std::vector<std::string> kinds;
    for (const auto& [hashed, name] :
        {std::pair{rss->tcp4_ports, "TCP over IPv4"}, {rss->udp4_ports, "UDP over IPv4"},
            {rss->tcp6_ports, "TCP over IPv6"}, {rss->udp6_ports, "UDP over IPv6"}}) {
        if (hashed) {
            kinds.emplace_back(name);
        }
    }
    return "spreading: Toeplitz, " + std::to_string(rss->queues.size()) +
           " entries, local ports chosen for " + (kinds.empty() ? "nothing" : joined(kinds)) + "\n";
}

}  // namespace

std::string text_of(const drivers::OwnedPort::Planned& planned,
    const std::vector<IpPrefix>& addresses, const ports::Eal& eal)
{
    std::vector<std::string> shown;
    for (const IpPrefix& address : addresses) {
        shown.push_back(to_string(address));
    }
    return describe(planned.plan, planned.name) + "kernel twin: MTU " +
           std::to_string(planned.mtu_bytes) + ", " +
           (shown.empty() ? "no address: give it one with --ip" : joined(shown)) + "\n" +
           pollers(eal);
}

Result<std::string> text_of(const host::Interface& interface, const ports::Eal& eal)
{
    const auto planned = drivers::AfXdpPort::plan(interface, eal);
    if (!planned) {
        return planned.error();
    }
    const auto told = host::active_rx_queues(interface);
    const std::uint32_t queues = told ? *told : 1;
    return describe(*planned, interface.name) + "sockets: one for each of " +
           std::to_string(queues) + " receive queues\n" + (queues > 1 ? spreading(interface) : "") +
           pollers(eal);
}

}  // namespace dpdkperf::app
