#include "setters.hpp"

#include "dpdkperf/options/congestion.hpp"
#include "dpdkperf/traffic/traffic.hpp"
#include "values.hpp"

#include <cmath>
#include <utility>

namespace dpdkperf::options {

namespace {

// iperf 3.12, src/iperf.h and src/iperf_api.h.
constexpr std::int64_t kMaxSeconds = 86'400;
constexpr std::int64_t kMinRcvTimeoutMs = 100;
constexpr std::int64_t kMaxBurst = 1'000;
constexpr std::uint64_t kMaxWindowBytes = 512ULL << 20;
constexpr std::int64_t kMaxMss = 9216;
constexpr std::int64_t kMaxFlowLabel = 0xfffff;
constexpr std::int64_t kMaxCpu = 1024;
constexpr double kMinInterval = 0.1, kMaxInterval = 60;
constexpr int kMaxDebugLevel = 4;
constexpr std::string_view kDefaultTimestamp = "%c ";
// 60 up to 3.17, 600 since.
constexpr std::int64_t kMaxOmit = 600;

// Puts a value that was read into its place, or hands the error on.
template <class Read, class Store>
Status store(Result<Read> read, Store&& into)
{
    if (!read) {
        return std::move(read).error();
    }
    std::forward<Store>(into)(*read);
    return {};
}

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

Status set_interval(Draft& draft, std::string_view value)
{
    const auto seconds = to_decimal(value);
    if (!seconds) {
        return seconds.error();
    }
    if (*seconds != 0 && (*seconds < kMinInterval || *seconds > kMaxInterval)) {
        return Error{Errc::kUsage, "invalid report interval (min = 0.1, max = 60 seconds)"};
    }
    draft.plan.interval =
        std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>{*seconds});
    return {};
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

Status set_verbose(Draft& draft, std::string_view)
{
    draft.plan.verbose = true;
    return {};
}

Status set_json(Draft& draft, std::string_view)
{
    draft.plan.json = true;
    return {};
}

Status set_json_stream(Draft& draft, std::string_view)
{
    draft.plan.json = draft.plan.json_stream = true;
    return {};
}

Status set_json_stream_full(Draft& draft, std::string_view)
{
    draft.plan.json_stream_full = true;
    return {};
}

Status set_force_flush(Draft& draft, std::string_view)
{
    draft.plan.force_flush = true;
    return {};
}

Status set_format(Draft& draft, std::string_view value)
{
    // iperf3 looks no further: "Mbits" will do.
    if (value.empty() || std::string_view{"kmgtKMGT"}.find(value.front()) == value.npos) {
        return Error{
            Errc::kUsage, "bad format specifier (valid formats are in the set [kmgtKMGT])"};
    }
    draft.plan.rate_unit = static_cast<RateUnit>(value.front());
    return {};
}

Status set_timestamps(Draft& draft, std::string_view value)
{
    draft.plan.timestamp_format = value.empty() ? kDefaultTimestamp : value;
    return {};
}

Status set_log_file(Draft& draft, std::string_view value)
{
    draft.plan.log_file = std::string{value};
    return {};
}

Status set_debug(Draft& draft, std::string_view value)
{
    if (value.empty()) {
        draft.plan.debug_level = kMaxDebugLevel;
        return {};
    }
    return store(to_integer(value, 0, kMaxDebugLevel, "debug level must be from 0 to 4"),
        [&](std::int64_t n) { draft.plan.debug_level = static_cast<int>(n); });
}

Status set_rcv_timeout(Draft& draft, std::string_view value)
{
    return store(to_integer(value, kMinRcvTimeoutMs, kMaxSeconds * 1000,
                     "receive timeout value is incorrect or not in range"),
        [&](std::int64_t n) { draft.plan.rcv_timeout = std::chrono::milliseconds{n}; });
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

Status set_one_off(Draft& draft, std::string_view)
{
    draft.plan.one_off = true;
    return {};
}

Status set_udp(Draft& draft, std::string_view)
{
    draft.plan.protocol = Protocol::kUdp;
    return {};
}

Status set_connect_timeout(Draft& draft, std::string_view value)
{
    // iperf3 sets no limit; a day is nobody's and keeps the sum of deadlines in range.
    return store(to_integer(value, 0, kMaxSeconds * 1000, "must be from 0 to 86400000 ms"),
        [&](std::int64_t n) { draft.plan.connect_timeout = std::chrono::milliseconds{n}; });
}

Status set_rate(Draft& draft, std::string_view value)
{
    const auto slash = value.find('/');
    if (slash != std::string_view::npos) {
        const auto burst = to_integer(
            value.substr(slash + 1), 1, kMaxBurst, "invalid burst count (maximum = 1000)");
        if (!burst) {
            return burst.error();
        }
        draft.plan.burst = static_cast<std::uint32_t>(*burst);
    }
    return store(to_rate(value.substr(0, slash)),
        [&](std::uint64_t n) { draft.plan.rate = BitRate::from_bps(n); });
}

Status set_duration(Draft& draft, std::string_view value)
{
    draft.duration_given = true;
    return store(
        to_integer(value, 0, kMaxSeconds, "test duration too long (maximum = 86400 seconds)"),
        [&](std::int64_t n) { draft.plan.duration = std::chrono::seconds{n}; });
}

Status set_bytes(Draft& draft, std::string_view value)
{
    return store(to_size(value), [&](std::uint64_t n) { draft.plan.bytes = n; });
}

Status set_blocks(Draft& draft, std::string_view value)
{
    return store(to_size(value), [&](std::uint64_t n) { draft.plan.blocks = n; });
}

Status set_length(Draft& draft, std::string_view value)
{
    return store(to_size(value), [&](std::uint64_t n) {
        // 0 lets the program choose, as in iperf3.
        draft.plan.block_bytes = n == 0 ? std::nullopt : std::optional{n};
    });
}

Status set_client_port(Draft& draft, std::string_view value)
{
    return store(to_port(value),
        [&](std::int64_t n) { draft.plan.client_port = static_cast<std::uint16_t>(n); });
}

Status set_parallel(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 1, traffic::kMaxStreamsPerDirection,
                     "number of parallel streams too large (maximum = 128)"),
        [&](std::int64_t n) { draft.plan.parallel = static_cast<std::uint32_t>(n); });
}

Status set_reverse(Draft& draft, std::string_view)
{
    draft.plan.reverse = true;
    return {};
}

Status set_bidirectional(Draft& draft, std::string_view)
{
    draft.plan.bidirectional = true;
    return {};
}

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

// The last of both counts, as in iperf3, which says the same about it.
Status set_no_fq_socket_pacing(Draft& draft, std::string_view)
{
    draft.plan.fq_rate = {};
    draft.plan.warnings.emplace_back("--no-fq-socket-pacing is deprecated");
    return {};
}

Status set_get_server_output(Draft& draft, std::string_view)
{
    draft.plan.get_server_output = true;
    return {};
}

Status set_title(Draft& draft, std::string_view value)
{
    draft.plan.title = std::string{value};
    return {};
}

Status set_extra_data(Draft& draft, std::string_view value)
{
    draft.plan.extra_data = std::string{value};
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

// RFC 6437, 2: 20 bits, and 0 stands for none.
Status set_flow_label(Draft& draft, std::string_view value)
{
    const auto label = to_any_base_integer(value, 1, kMaxFlowLabel, "");
    if (!label) {
        return usage("unable to set IPv6 flow label (must be from 1 to 0xfffff)");
    }
    draft.plan.flow_label = static_cast<std::uint32_t>(*label);
    return {};
}

Status set_omit(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 0, kMaxOmit, "bogus value for --omit (maximum = 600 seconds)"),
        [&](std::int64_t n) { draft.plan.omit = std::chrono::seconds{n}; });
}

Status set_64bit_counters(Draft& draft, std::string_view)
{
    draft.plan.counters_64bit = true;
    return {};
}

Status set_repeating_payload(Draft& draft, std::string_view)
{
    draft.plan.repeating_payload = true;
    return {};
}

Status set_file(Draft& draft, std::string_view value)
{
    draft.plan.file = std::string{value};
    return {};
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
