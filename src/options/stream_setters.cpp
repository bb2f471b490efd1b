// How a stream behaves on the way: what a kernel's socket would be told.

#include "dpdkperf/options/congestion.hpp"
#include "setters.hpp"
#include "values.hpp"

#include <string>

namespace dpdkperf::options {

namespace {

// iperf 3.12, src/iperf.h.
constexpr std::uint64_t kMaxWindowBytes = 512ULL << 20;
constexpr std::int64_t kMaxMss = 9216;
constexpr std::int64_t kMaxFlowLabel = 0xfffff;

}  // namespace

Status set_window(Draft& draft, std::string_view value)
{
    const auto bytes = to_size(value);
    if (bytes && *bytes > kMaxWindowBytes) {
        return Error{Errc::kUsage, "socket buffer size too large (maximum = 536870912 bytes)"};
    }
    return store(bytes, [&](std::uint64_t n) { draft.plan.window_bytes = n; });
}

Status set_congestion(Draft& draft, std::string_view value)
{
    return store(congestion_named(value),
        [&](traffic::Congestion) { draft.plan.congestion = std::string{value}; });
}

Status set_mss(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 1, kMaxMss, "TCP MSS too large (maximum = 9216 bytes)"),
        [&](std::int64_t n) { draft.plan.mss_bytes = static_cast<std::uint32_t>(n); });
}

Status set_no_delay(Draft& draft, std::string_view)
{
    draft.plan.no_delay = true;
    return {};
}

Status set_fq_rate(Draft& draft, std::string_view value)
{
    return store(
        to_rate(value), [&](std::uint64_t n) { draft.plan.fq_rate = BitRate::from_bps(n); });
}

Status set_no_fq_socket_pacing(Draft& draft, std::string_view)
{
    draft.plan.fq_rate = {};
    draft.plan.warnings.emplace_back("--no-fq-socket-pacing is deprecated");
    return {};
}

Status set_tos(Draft& draft, std::string_view value)
{
    return store(
        to_any_base_integer(value, 0, 255, "bad TOS value (must be between 0 and 255 inclusive)"),
        [&](std::int64_t n) { draft.plan.tos = static_cast<std::uint8_t>(n); });
}

Status set_dscp(Draft& draft, std::string_view value)
{
    return store(to_dscp_tos(value), [&](std::uint8_t tos) { draft.plan.tos = tos; });
}

Status set_flow_label(Draft& draft, std::string_view value)
{
    const auto label = to_any_base_integer(value, 1, kMaxFlowLabel, "");
    if (!label) {
        return usage("unable to set IPv6 flow label (must be from 1 to 0xfffff)");
    }
    draft.plan.flow_label = static_cast<std::uint32_t>(*label);
    return {};
}

}  // namespace dpdkperf::options
