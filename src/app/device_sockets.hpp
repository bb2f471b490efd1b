#pragma once

#include "dpdkperf/host/keeper.hpp"

#include <string>
#include <vector>

namespace dpdkperf::app {

// Sockets that EAL's virtual devices are going to serve: memif as server, vhost. What a killed
// process has left there is removed, and the keeper removes ours: the drivers leave it behind when
// they are killed, and now and then when they are not. Errors: somebody serves it (kBusy).
Status claim_device_sockets(const std::vector<std::string>& eal_arguments, host::Keeper& keeper);

}  // namespace dpdkperf::app
