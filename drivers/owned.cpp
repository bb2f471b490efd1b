#include "dpdkperf/drivers/owned.hpp"

#include "dpdkperf/drivers/families.hpp"
#include "dpdkperf/ports/memory_node.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include <rte_alarm.h>
#include <rte_ethdev.h>
#include <rte_log.h>

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
        return Error{Errc::kNotFound, "DPDK has found no port"};
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

constexpr std::string_view kMemif = "net_memif";
constexpr std::string_view kVhost = "net_vhost";

// Runs `task` on EAL's interrupt thread and waits for it.
//
// There memif hears that its peer has gone, and then frees what dev_stop() and dev_close() free as
// well, without a lock (memif_socket.c, memif_disconnect(), DPDK 22.11): "Invalid memory" if both
// ends stop at the same time. On the same thread one comes after the other.
void on_interrupt_thread(const std::function<void()>& task)
{
    struct Errand {
        const std::function<void()>& task;
        std::promise<void> done;
    };
    const auto carry_out = [](void* argument) {
        const std::unique_ptr<Errand> errand{static_cast<Errand*>(argument)};
        errand->task();
        errand->done.set_value();
    };
    std::unique_ptr<Errand> errand{new Errand{task, {}}};
    auto done = errand->done.get_future();
    if (rte_eal_alarm_set(1, carry_out, errand.get()) != 0) {
        return task();
    }
    static_cast<void>(errand.release());  // carry_out()'s now
    done.wait();
}

// A memif client starts only when its server is there; which side comes first is nobody's concern.
Status start(ports::Port& port, const ports::PortPlan& plan, std::chrono::seconds patience)
{
    if (plan.driver != kMemif) {
        return port.start();
    }
    // The driver complains about each try.
    const auto log = static_cast<std::uint32_t>(rte_log_register("pmd.net.memif"));
    const auto level = static_cast<std::uint32_t>(rte_log_get_level(log));
    rte_log_set_level(log, std::min<std::uint32_t>(level, RTE_LOG_CRIT));
    const auto deadline = std::chrono::steady_clock::now() + patience;
    Status status = port.start();
    while (!status && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        status = port.start();
    }
    rte_log_set_level(log, level);
    if (!status) {
        return Error{Errc::kPeer, "port " + name_of(port.id()) +
                                      ": nobody serves its socket; start the " +
                                      "other side, with role=server"};
    }
    return {};
}

// net_vhost says so in its arguments only.
bool passes_large_frames(const rte_eth_dev_info& info)
{
    const rte_devargs* const arguments =
        info.device == nullptr ? nullptr : rte_dev_devargs(info.device);
    return std::string_view{info.driver_name} == kVhost && arguments != nullptr &&
           arguments->args != nullptr &&
           std::string_view{arguments->args}.find("tso=1") != std::string_view::npos;
}

}  // namespace

Result<OwnedPort::Planned> OwnedPort::plan(const Request& request)
{
    const auto id = the_only_port();
    if (!id) {
        return id.error();
    }
    const std::string name = name_of(*id);
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(*id, &info) != 0) {
        return Error{Errc::kDevice, "port " + name + " does not answer"};
    }
    if (const auto why = objection(info.driver_name); !why.empty()) {
        return Error{Errc::kUsage, "port " + name + " " + std::string{why}};
    }
    const std::uint32_t mtu_bytes = request.mtu_bytes.value_or(mtu_of(*id));
    auto plan = ports::plan_for({.queue_pairs = request.queue_pairs,
                                    .mtu_bytes = mtu_bytes,
                                    .rx_checksum = request.rx_checksum,
                                    .mixed_tx = request.sends_tcp,
                                    .large_frames = passes_large_frames(info),
                                    .has_twin = true},
        info, families());
    plan.numa_node = ports::memory_node(rte_eth_dev_socket_id(*id));
    return Planned{*id, name, mtu_bytes, std::move(plan)};
}

Result<std::unique_ptr<OwnedPort>> OwnedPort::open(
    const ports::Eal& eal, const Request& request, std::chrono::seconds patience)
{
    auto planned = plan(request);
    if (!planned) {
        return std::move(planned).error();
    }
    std::unique_ptr<OwnedPort> opened;
    Status status;
    eal.run([&] {
        auto port = ports::Port::configure(planned->id, planned->plan);
        status = port ? start(*port, planned->plan, patience) : Status{std::move(port).error()};
        if (status) {
            port->check_itself(planned->plan);
            opened.reset(new OwnedPort{eal, *std::move(port), *std::move(planned)});
        }
    });
    if (!status) {
        return std::move(status).error();
    }
    return opened;
}

OwnedPort::OwnedPort(const ports::Eal& eal, ports::Port port, Planned planned)
    : eal_{eal},
      port_{std::move(port)},
      planned_{std::move(planned)},
      rss_{ports::rss_state(port_.id())}
{
}

std::optional<BitRate> OwnedPort::link_speed() const
{
    rte_eth_link link{};
    const bool told = plan().link_speed_known && rte_eth_link_get_nowait(id(), &link) == 0 &&
                      link.link_status == RTE_ETH_LINK_UP;
    if (!told || link.link_speed == RTE_ETH_SPEED_NUM_NONE ||
        link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN) {
        return {};
    }
    return BitRate::from_bps(std::uint64_t{link.link_speed} * 1'000'000);
}

OwnedPort::~OwnedPort()
{
    const auto close = [this] { const ports::Port closed = std::move(port_); };
    planned_.plan.driver == kMemif ? on_interrupt_thread(close) : eal_.run(close);
}

}  // namespace dpdkperf::drivers
