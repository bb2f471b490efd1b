// Who talks to whom, from where, and how patiently.

#include "setters.hpp"
#include "values.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace dpdkperf::options {

namespace {

// iperf 3.12, src/iperf.h and src/iperf_api.h.
constexpr std::int64_t kMinRcvTimeoutMs = 100;
constexpr std::int64_t kMaxTimeoutMs = 86'400'000;
constexpr std::int64_t kMaxCpu = 1024;

Status set_role(Draft& draft, Role role)
{
    if (draft.role && *draft.role != role) {
        return Error{Errc::kUsage, "cannot be both server and client"};
    }
    draft.role = role;
    return {};
}

Result<std::int64_t> to_port(std::string_view value)
{
    return to_integer(value, 1, 65'535, "port number must be between 1 and 65535 inclusive");
}

}  // namespace

Status set_help(Draft& draft, std::string_view)
{
    draft.role = Role::kHelp;
    return {};
}

Status set_version(Draft& draft, std::string_view)
{
    draft.role = Role::kVersion;
    return {};
}

Status set_server(Draft& draft, std::string_view)
{
    return set_role(draft, Role::kServer);
}

Status set_client(Draft& draft, std::string_view value)
{
    auto [host, device] = split_host(value);
    if (host.empty()) {
        return usage("no host is named");
    }
    draft.plan.host = std::move(host);
    if (!device.empty()) {
        draft.plan.bind_device = std::move(device);
    }
    return set_role(draft, Role::kClient);
}

Status set_port(Draft& draft, std::string_view value)
{
    return store(
        to_port(value), [&](std::int64_t n) { draft.plan.port = static_cast<std::uint16_t>(n); });
}

Status set_bind(Draft& draft, std::string_view value)
{
    auto [host, device] = split_host(value);
    draft.plan.bind_address = std::move(host);
    if (!device.empty()) {
        draft.plan.bind_device = std::move(device);
    }
    return {};
}

Status set_bind_device(Draft& draft, std::string_view value)
{
    draft.plan.bind_device = std::string{value};
    return {};
}

Status set_ipv4(Draft& draft, std::string_view)
{
    draft.plan.family = Family::kIpv4;
    return {};
}

Status set_ipv6(Draft& draft, std::string_view)
{
    draft.plan.family = Family::kIpv6;
    return {};
}

Status set_client_port(Draft& draft, std::string_view value)
{
    return store(to_port(value),
        [&](std::int64_t n) { draft.plan.client_port = static_cast<std::uint16_t>(n); });
}

Status set_connect_timeout(Draft& draft, std::string_view value)
{
    // iperf3 sets no limit; a day is nobody's and keeps the sum of deadlines in range.
    return store(to_integer(value, 0, kMaxTimeoutMs, "must be from 0 to 86400000 ms"),
        [&](std::int64_t n) { draft.plan.connect_timeout = std::chrono::milliseconds{n}; });
}

Status set_rcv_timeout(Draft& draft, std::string_view value)
{
    return store(to_integer(value, kMinRcvTimeoutMs, kMaxTimeoutMs,
                     "receive timeout value is incorrect or not in range"),
        [&](std::int64_t n) { draft.plan.rcv_timeout = std::chrono::milliseconds{n}; });
}

Status set_affinity(Draft& draft, std::string_view value)
{
    constexpr std::string_view kRange = "unable to set CPU affinity (must be from 0 to 1024)";
    const auto comma = value.find(',');
    if (comma != std::string_view::npos) {
        const auto server = to_integer(value.substr(comma + 1), 0, kMaxCpu, kRange);
        if (!server) {
            return server.error();
        }
        draft.plan.server_cpu = static_cast<unsigned>(*server);
        draft.client_option = dashed("affinity");
    }
    return store(to_any_base_integer(value.substr(0, comma), 0, kMaxCpu, kRange),
        [&](std::int64_t n) { draft.plan.cpu = static_cast<unsigned>(n); });
}

}  // namespace dpdkperf::options
