#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/result.hpp"
#include "dpdkperf/options/plan.hpp"

#include <string>

namespace dpdkperf::control {

// The first address of a host of the family asked for. `host` is its name, for which the system's
// resolver is asked, or an address. Blocks. Errors: kNotFound.
Result<IpAddress> address_of(const std::string& host, options::Family family);

}  // namespace dpdkperf::control
