#include "dpdkperf/options/congestion.hpp"

namespace dpdkperf::options {

Result<traffic::Congestion> congestion_named(std::string_view name)
{
    if (name == "cubic") {
        return traffic::Congestion::kCubic;
    }
    if (name == "reno") {
        return traffic::Congestion::kReno;
    }
    return Error{Errc::kUsage, "unable to set TCP_CONGESTION: Supplied congestion control "
                               "algorithm not supported on this host"};
}

}  // namespace dpdkperf::options
