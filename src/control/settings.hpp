#pragma once

#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/proto/failure.hpp"
#include "dpdkperf/proto/messages.hpp"
#include "dpdkperf/proto/parameters.hpp"
#include "dpdkperf/proto/session.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <optional>
#include <string>

namespace dpdkperf::control {

// What a client asks the server for. `control_mss_bytes`: segment size of the control connection, 0
// if unknown, which is the size of a datagram unless the user chose one, as in iperf3 (3.12,
// src/iperf_client_api.c), but never more than `max_datagram` holds. TCP uses neither.
// `default_streams`: where the user did not say how many.
proto::Parameters parameters_of(const options::Plan& plan, std::uint32_t control_mss_bytes,
    PayloadBytes max_datagram, std::uint32_t default_streams);

// The client's host as iperf3 shows it: a link-local address with the device that it is valid on.
std::string shown_host(const options::Plan& plan);

// What was agreed, for the report. `peer`: a server's client.
stats::TestSettings settings_of(const options::Plan& plan, const proto::Parameters& parameters,
    const proto::Cookie& cookie, const std::optional<Endpoint>& peer,
    std::uint32_t control_mss_bytes);

// What the server's user does not allow (--server-max-duration, --server-bitrate-limit).
std::optional<proto::Failure> check_limits(
    const options::Plan& plan, const proto::Parameters& parameters);

// UDP: why datagrams of `bytes` cannot be sent on `interface`; empty if they can. A TCP test's
// blocks may be longer than a packet.
std::optional<proto::Failure> check_datagram(
    std::uint64_t bytes, PayloadBytes max_datagram, const std::string& interface);

// TCP: -M that this side cannot fulfil, as iperf3 finds out when it sets its sockets' options.
std::optional<proto::Failure> check_mss(std::uint32_t mss_bytes);

// Whether a test can run on the CPU that a client wishes for (-A n,m), if it does.
std::optional<proto::Failure> check_cpu(const std::optional<unsigned>& cpu);

// "interrupt - the client has terminated by signal Interrupt(2)": iperf3's words from 3.19 on.
std::string interrupted(bool server, int signal);

// What --debug=`level` shows of the conversation (iperf 3.12, src/iperf.h, enum debug_level: 1 for
// errors, 3 for information).
proto::TraceLevel trace_level(int debug_level);

// 36 letters nobody can guess.
proto::Cookie new_cookie();

}  // namespace dpdkperf::control
