#include "dpdkperf/ports/port.hpp"

#include "dpdkperf/ports/self_check.hpp"
#include "lost_mbufs.hpp"
#include "packet_pool.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

namespace dpdkperf::ports {

namespace {

std::string name_of(std::uint16_t port)
{
    std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
    rte_eth_dev_get_name_by_port(port, name.data());
    return name.data();
}

Error refused(std::uint16_t port, const std::string& what, int rc)
{
    return {Errc::kDevice, "port " + name_of(port) + ": " + what + ": " + rte_strerror(-rc)};
}

rte_eth_conf configuration(const PortPlan& plan)
{
    rte_eth_conf conf{};
    conf.rxmode.mtu = plan.mtu_bytes;  // 0: 1500, or the most that the device takes
    conf.rxmode.offloads = plan.rx_offloads;
    conf.txmode.offloads = plan.tx_offloads;
    if (plan.rss_functions != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = plan.rss_functions;  // the key stays the driver's
    }
    return conf;
}

std::string numbers(const char* what, unsigned a, const char* of, unsigned b)
{
    return std::string{what} + " " + std::to_string(a) + " " + of + " " + std::to_string(b);
}

}  // namespace

void Port::FreePool::operator()(rte_mempool* pool) const noexcept
{
    rte_mempool_free(pool);
}

Result<Port> Port::configure(std::uint16_t port_id, const PortPlan& plan)
{
    Port port{port_id};
    port.kept_mbufs_ = plan.kept_mbufs;
    port.filter_ = {.promiscuous = plan.promiscuous, .all_multicast = plan.all_multicast};
    rte_eth_dev_info info{};
    int rc = rte_eth_dev_info_get(port_id, &info);
    if (rc < 0) {
        return refused(port_id, "read what it can", rc);
    }
    if (Status status = check_plan(plan, info); !status) {
        return std::move(status).error().within("port " + name_of(port_id));
    }
    const rte_eth_conf conf = configuration(plan);
    rc = rte_eth_dev_configure(port_id, plan.queue_pairs, plan.queue_pairs, &conf);
    if (rc < 0) {
        return refused(
            port_id, "configure " + std::to_string(plan.queue_pairs) + " queue pairs", rc);
    }
    if (Status status = port.set_mtu(plan.mtu_bytes); !status) {
        return std::move(status).error();
    }
    if (Status status = port.make_pinned(plan); !status) {
        return std::move(status).error();
    }
    for (std::uint16_t q = 0; q < plan.queue_pairs; ++q) {
        if (Status status = port.set_up_queue(q, plan); !status) {
            return std::move(status).error();
        }
    }
    return port;
}

Status Port::make_pinned(const PortPlan& plan)
{
    if (plan.pinned_mbufs == 0) {
        return {};
    }
    auto made = PinnedBuffers::create(
        "pinned-" + std::to_string(id_), plan.pinned_mbufs, plan.cache_mbufs, plan.numa_node);
    if (!made) {
        return std::move(made).error().within("port " + name_of(id_));
    }
    pinned_ = *std::move(made);
    return {};
}

Status Port::set_up_queue(std::uint16_t queue, const PortPlan& plan)
{
    const std::string name = "pool-" + std::to_string(id_) + "-" + std::to_string(queue);
    rte_mempool* const pool = create_packet_pool(name, plan);
    if (pool == nullptr) {
        return refused(id_,
            numbers("memory for", plan.pool_mbufs, "packet buffers of", plan.data_room_bytes),
            -rte_errno);
    }
    pools_.emplace_back(pool);
    const auto socket = static_cast<unsigned>(plan.numa_node);
    int rc = rte_eth_rx_queue_setup(id_, queue, plan.rx_descriptors, socket, nullptr, pool);
    if (rc < 0) {
        return refused(
            id_, numbers("RX queue", queue, "with descriptors", plan.rx_descriptors), rc);
    }
    rc = rte_eth_tx_queue_setup(id_, queue, plan.tx_descriptors, socket, nullptr);
    if (rc < 0) {
        return refused(
            id_, numbers("TX queue", queue, "with descriptors", plan.tx_descriptors), rc);
    }
    pairs_.push_back(
        {id_, queue, queue, pool, plan.burst, pinned_.get(), plan.chain_burst, plan.tso});
    return {};
}

// Some drivers take the MTU from the configuration, some program it here, and those without a
// function for it have no limit to be told about.
Status Port::set_mtu(std::uint32_t mtu_bytes) const
{
    if (mtu_bytes == 0) {
        return {};
    }
    const int rc = rte_eth_dev_set_mtu(id_, static_cast<std::uint16_t>(mtu_bytes));
    if (rc < 0 && rc != -ENOTSUP) {
        return refused(id_, "an MTU of " + std::to_string(mtu_bytes) + " bytes", rc);
    }
    return {};
}

Port::Port(Port&& other) noexcept
    : id_{other.id_},
      filter_{other.filter_},
      kept_mbufs_{other.kept_mbufs_},
      open_{std::exchange(other.open_, false)},
      started_{std::exchange(other.started_, false)},
      pools_{std::move(other.pools_)},
      pinned_{std::move(other.pinned_)},
      pairs_{std::move(other.pairs_)}
{
}

Port& Port::operator=(Port&& other) noexcept
{
    if (this != &other) {
        close();
        id_ = other.id_;
        filter_ = other.filter_;
        kept_mbufs_ = other.kept_mbufs_;
        open_ = std::exchange(other.open_, false);
        started_ = std::exchange(other.started_, false);
        pools_ = std::move(other.pools_);
        pinned_ = std::move(other.pinned_);
        pairs_ = std::move(other.pairs_);
    }
    return *this;
}

Port::~Port()
{
    close();
}

void Port::close() noexcept
{
    if (std::exchange(started_, false)) {
        rte_eth_dev_stop(id_);
    }
    if (!std::exchange(open_, false)) {
        return;
    }
    const std::string name = name_of(id_);
    rte_eth_dev_close(id_);
    for (const auto& pool : pools_) {
        tell_of_lost_mbufs(name, *pool, kept_mbufs_);
    }
    if (pinned_ != nullptr) {
        for (std::size_t i = 0; i < PinnedBuffers::kCount; ++i) {
            tell_of_lost_mbufs(name, *pinned_->pool(i));
        }
    }
}

Status Port::start()
{
    const int rc = rte_eth_dev_start(id_);
    if (rc < 0) {
        return refused(id_, "start", rc);
    }
    started_ = true;
    return set_filter();
}

// After the start, because some drivers forget it. A driver without a filter lets everything in.
Status Port::set_filter() const
{
    int rc = filter_.promiscuous ? rte_eth_promiscuous_enable(id_) : 0;
    if (rc < 0 && rc != -ENOTSUP) {
        return refused(id_, "promiscuous mode", rc);
    }
    rc = filter_.all_multicast ? rte_eth_allmulticast_enable(id_) : 0;
    if (rc < 0 && rc != -ENOTSUP) {
        return refused(id_, "reception of all multicast", rc);
    }
    return {};
}

void Port::check_itself(PortPlan& plan)
{
    const SelfCheck found = check_transmit(pairs_.front());
    for (QueuePair& pair : pairs_) {
        pair.pinned = found.chains ? pair.pinned : nullptr;
        pair.tso = found.tso;
    }
    plan.pinned_mbufs = found.chains ? plan.pinned_mbufs : 0;
    plan.tso = found.tso;
    plan.self_check = found.text;
}

Mac Port::mac() const
{
    rte_ether_addr address{};
    rte_eth_macaddr_get(id_, &address);
    Mac mac;
    std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), mac.bytes.begin());
    return mac;
}

std::string Port::driver() const
{
    rte_eth_dev_info info{};
    return rte_eth_dev_info_get(id_, &info) == 0 ? info.driver_name : "";
}

}  // namespace dpdkperf::ports
