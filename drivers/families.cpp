#include "dpdkperf/drivers/families.hpp"

#include <span>

namespace dpdkperf::drivers {

namespace {

using ports::PortFamily;
using ports::PortPlan;
using ports::PortRequest;
using ports::Proof;
using ports::RxTrust;

// The driver's completion and fill rings keep up to 2048 + 4096 buffers (rte_eth_af_xdp.c,
// ETH_AF_XDP_DFLT_NUM_DESCS, DPDK 22.11).
void adjust_af_xdp(PortPlan& plan, const PortRequest& /*request*/, const rte_eth_dev_info& /*d*/)
{
    plan.pool_mbufs = 8191;
}

constexpr PortFamily kFamilies[] = {
    {.driver = "net_af_xdp",
        .why = "",
        .proof = Proof::kRun,
        .rx_trust = RxTrust::kSumAll,
        .link_speed_known = false,
        .sets_mtu = false,
        .adjust = adjust_af_xdp},
};

}  // namespace

std::span<const PortFamily> families()
{
    return kFamilies;
}

}  // namespace dpdkperf::drivers
