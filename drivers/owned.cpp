#include "dpdkperf/drivers/owned.hpp"

#include "dpdkperf/drivers/families.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <rte_ethdev.h>

namespace dpdkperf::drivers {

namespace {

std::string name_of(std::uint16_t id)
{
    std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
    rte_eth_dev_get_name_by_port(id, name.data());
    return name.data();
}

Result<std::uint16_t> the_only_port()
{
    std::vector<std::uint16_t> found;
    std::string names;
    for (std::uint16_t id = 0; id < RTE_MAX_ETHPORTS; ++id) {
        if (rte_eth_dev_is_valid_port(id) != 0) {
            found.push_back(id);
            names += (names.empty() ? "" : ", ") + name_of(id);
        }
    }
    if (found.empty()) {
        return Error{Errc::kNotFound, "DPDK has found no port; is it a device that one of its "
                                      "drivers knows? '--log-level=8' before '--' shows more"};
    }
    if (found.size() > 1) {
        return Error{Errc::kUsage,
            "DPDK has found " + std::to_string(found.size()) + " ports (" + names + "); name one"};
    }
    return found.front();
}

// Why a driver's device can't be an owned port; empty if it can.
std::string_view objection(std::string_view driver)
{
    struct Row {
        std::string_view driver, why;
    };
    constexpr std::string_view kNoPeer = "has no other end";
    constexpr std::string_view kOfKernel =
        "is an interface of the kernel; name no device, and it is found by the route";
    constexpr Row kRows[] = {{"net_null", kNoPeer}, {"net_pcap", kNoPeer}, {"net_ring", kNoPeer},
        {"net_af_xdp", kOfKernel}, {"net_af_packet", kOfKernel}, {"net_tap", kOfKernel}};
    const auto* const row =
        std::ranges::find_if(kRows, [&](const Row& r) { return r.driver == driver; });
    return row == std::end(kRows) ? std::string_view{} : row->why;
}

std::uint32_t mtu_of(std::uint16_t id)
{
    std::uint16_t mtu = RTE_ETHER_MTU;
    rte_eth_dev_get_mtu(id, &mtu);
    return mtu;
}

}  // namespace

Result<std::unique_ptr<OwnedPort>> OwnedPort::open(const ports::Eal& eal, const Request& request)
{
    const auto id = the_only_port();
    if (!id) {
        return id.error();
    }
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(*id, &info) != 0) {
        return Error{Errc::kDevice, name_of(*id) + " does not answer"};
    }
    const std::string driver = info.driver_name;
    if (const auto why = objection(driver); !why.empty()) {
        return Error{Errc::kUsage, name_of(*id) + " " + std::string{why}};
    }
    const std::uint32_t mtu_bytes = request.mtu_bytes.value_or(mtu_of(*id));
    ports::PortPlan plan = ports::plan_for(
        {.queue_pairs = request.queue_pairs, .mtu_bytes = mtu_bytes, .has_twin = true}, info,
        families());
    std::unique_ptr<OwnedPort> opened;
    Status status;
    eal.run([&] {
        auto port = ports::Port::configure(*id, plan);
        status = port ? port->start() : Status{std::move(port).error()};
        if (status) {
            opened.reset(
                new OwnedPort{eal, *std::move(port), std::move(plan), name_of(*id), mtu_bytes});
        }
    });
    if (!status) {
        return std::move(status).error();
    }
    return opened;
}

OwnedPort::OwnedPort(const ports::Eal& eal, ports::Port port, ports::PortPlan plan,
    std::string name, std::uint32_t mtu_bytes)
    : eal_{eal},
      port_{std::move(port)},
      plan_{std::move(plan)},
      name_{std::move(name)},
      mtu_bytes_{mtu_bytes}
{
}

OwnedPort::~OwnedPort()
{
    eal_.run([this] { const ports::Port closed = std::move(port_); });
}

}  // namespace dpdkperf::drivers
