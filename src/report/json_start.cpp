#include "json_start.hpp"

#include "json_values.hpp"

#include <cstddef>

namespace dpdkperf::report {

namespace {

void add_mss(Json& start, const stats::TestSettings& settings)
{
    if (settings.mss_bytes != 0) {
        append(start, "tcp_mss", settings.mss_bytes);
    } else {
        append(start, "tcp_mss_default", settings.control_mss_bytes);
    }
}

void add_buffers(Json& start, const stats::TestSettings& settings)
{
    append(start, "sock_bufsize", settings.window_bytes);
    // Our data does not pass through kernel sockets.
    append(start, "sndbuf_actual", 0);
    append(start, "rcvbuf_actual", 0);
}

void add_rates(Json& start, const stats::TestSettings& settings)
{
    append(start, "target_bitrate", settings.rate.bps());
    append(start, "fq_rate", settings.fq_rate.bps());
}

// Also the keys that iperf3 writes twice.
void add_settings(Json& start, const stats::TestSettings& settings, std::size_t connections)
{
    if (settings.server && settings.rate.bps() != 0) {
        append(start, "target_bitrate", settings.rate.bps());
    }
    // Of the socket on which a TCP server listens, otherwise of each stream's.
    const bool listener = settings.server && !settings.udp;
    if (listener) {
        add_buffers(start, settings);
    }
    append(start, "timestamp", timestamp_json(settings.wall_clock));
    if (settings.server) {
        const Endpoint peer = settings.peer.value_or(Endpoint{});
        append(start, "accepted_connection", endpoint_json(to_string(peer.address), peer.port));
    } else {
        append(start, "connecting_to", endpoint_json(settings.host, settings.port));
    }
    append(start, "cookie", settings.cookie);
    if (!settings.udp) {
        add_mss(start, settings);
    }
    add_rates(start, settings);
    for (std::size_t i = 0; i < connections && !listener; ++i) {
        add_buffers(start, settings);
    }
    if (connections > 0) {
        append(start, "test_start", test_start_json(settings));
    }
}

}  // namespace

Json start_json(const Style& style, const std::optional<stats::TestSettings>& settings,
    const std::vector<stats::Connection>& connections)
{
    Json start = {{"connected", Json::array()}};
    for (const stats::Connection& connection : connections) {
        start["connected"].push_back(connection_json(connection));
    }
    start["version"] = style.version;
    start["system_info"] = style.system_info;
    if (settings) {
        add_settings(start, *settings, connections.size());
    }
    return start;
}

}  // namespace dpdkperf::report
