#pragma once

#include "dpdkperf/base/result.hpp"
#include "option.hpp"

#include <string_view>

// What the rows of the table do with their values: one function per option. Ranges and their
// error texts are those of iperf 3.12, src/iperf_error.c, unless a comment says otherwise.
namespace dpdkperf::options {

// Who talks to whom, from where, and how patiently (endpoint_setters.cpp).
Status set_help(Draft& draft, std::string_view value);
Status set_version(Draft& draft, std::string_view value);
Status set_server(Draft& draft, std::string_view value);
Status set_client(Draft& draft, std::string_view value);
Status set_port(Draft& draft, std::string_view value);
Status set_bind(Draft& draft, std::string_view value);
Status set_bind_device(Draft& draft, std::string_view value);
Status set_ipv4(Draft& draft, std::string_view value);
Status set_ipv6(Draft& draft, std::string_view value);
Status set_client_port(Draft& draft, std::string_view value);
Status set_connect_timeout(Draft& draft, std::string_view value);
Status set_rcv_timeout(Draft& draft, std::string_view value);
Status set_affinity(Draft& draft, std::string_view value);

// What is printed (output_setters.cpp).
Status set_interval(Draft& draft, std::string_view value);
Status set_verbose(Draft& draft, std::string_view value);
Status set_json(Draft& draft, std::string_view value);
Status set_json_stream(Draft& draft, std::string_view value);
Status set_json_stream_full(Draft& draft, std::string_view value);
Status set_force_flush(Draft& draft, std::string_view value);
Status set_format(Draft& draft, std::string_view value);
Status set_timestamps(Draft& draft, std::string_view value);
Status set_log_file(Draft& draft, std::string_view value);
Status set_debug(Draft& draft, std::string_view value);
Status set_get_server_output(Draft& draft, std::string_view value);
Status set_title(Draft& draft, std::string_view value);
Status set_extra_data(Draft& draft, std::string_view value);

// What a test sends, and when it ends (test_setters.cpp).
Status set_udp(Draft& draft, std::string_view value);
Status set_rate(Draft& draft, std::string_view value);
Status set_duration(Draft& draft, std::string_view value);
Status set_bytes(Draft& draft, std::string_view value);
Status set_blocks(Draft& draft, std::string_view value);
Status set_length(Draft& draft, std::string_view value);
Status set_parallel(Draft& draft, std::string_view value);
Status set_reverse(Draft& draft, std::string_view value);
Status set_bidirectional(Draft& draft, std::string_view value);
Status set_omit(Draft& draft, std::string_view value);
Status set_64bit_counters(Draft& draft, std::string_view value);
Status set_repeating_payload(Draft& draft, std::string_view value);
Status set_file(Draft& draft, std::string_view value);

// How a stream behaves on the way (stream_setters.cpp).
Status set_window(Draft& draft, std::string_view value);
Status set_congestion(Draft& draft, std::string_view value);
Status set_mss(Draft& draft, std::string_view value);
Status set_no_delay(Draft& draft, std::string_view value);
Status set_fq_rate(Draft& draft, std::string_view value);
Status set_no_fq_socket_pacing(Draft& draft, std::string_view value);
Status set_tos(Draft& draft, std::string_view value);
Status set_dscp(Draft& draft, std::string_view value);
Status set_flow_label(Draft& draft, std::string_view value);

// What the other side is asked for (peer_setters.cpp).
Status set_zerocopy(Draft& draft, std::string_view value);
Status set_pacing_timer(Draft& draft, std::string_view value);
Status set_skip_rx_copy(Draft& draft, std::string_view value);
Status set_gsro(Draft& draft, std::string_view value);
Status set_dont_fragment(Draft& draft, std::string_view value);

// Server life and authentication (server_setters.cpp).
Status set_snd_timeout(Draft& draft, std::string_view value);
Status set_control_keepalive(Draft& draft, std::string_view value);
Status set_pid_file(Draft& draft, std::string_view value);
Status set_daemon(Draft& draft, std::string_view value);
Status set_one_off(Draft& draft, std::string_view value);
Status set_concurrent(Draft& draft, std::string_view value);
Status set_idle_timeout(Draft& draft, std::string_view value);
Status set_max_duration(Draft& draft, std::string_view value);
Status set_total_rate(Draft& draft, std::string_view value);
Status set_username(Draft& draft, std::string_view value);
Status set_public_key(Draft& draft, std::string_view value);
Status set_private_key(Draft& draft, std::string_view value);
Status set_authorized_users(Draft& draft, std::string_view value);
Status set_time_skew(Draft& draft, std::string_view value);
Status set_pkcs1_padding(Draft& draft, std::string_view value);

// Not iperf3's (port_setters.cpp).
Status set_ip(Draft& draft, std::string_view value);
Status set_gateway(Draft& draft, std::string_view value);
Status set_default_route(Draft& draft, std::string_view value);
Status set_mtu(Draft& draft, std::string_view value);
Status set_rx_csum(Draft& draft, std::string_view value);
Status set_dry_run(Draft& draft, std::string_view value);
Status set_user(Draft& draft, std::string_view value);
Status set_pcap(Draft& draft, std::string_view value);
Status set_impair(Draft& draft, std::string_view value);

// Not iperf3's either (automation_setters.cpp).
Status set_require(Draft& draft, std::string_view value);
Status set_save(Draft& draft, std::string_view value);
Status set_wait(Draft& draft, std::string_view value);

}  // namespace dpdkperf::options
