#pragma once

#include "dpdkperf/base/address.hpp"

#include <string_view>

namespace dpdkperf::host {

inline IpAddress ip(std::string_view text)
{
    return *IpAddress::parse(text);
}

}  // namespace dpdkperf::host
