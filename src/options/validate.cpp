#include "dpdkperf/options/defaults.hpp"
#include "option.hpp"
#include "requirements.hpp"

#include <algorithm>
#include <limits>

// Rules between options. The texts are those of iperf 3.12, src/iperf_error.c.
namespace dpdkperf::options {

namespace {

// iperf 3.12, src/iperf.h: MAX_BLOCKSIZE; src/iperf_udp.h: MIN_ and MAX_UDP_BLOCKSIZE.
constexpr std::uint64_t kMaxBlock = 1ULL << 20;
constexpr std::uint64_t kMinUdpBlock = 16, kMaxUdpBlock = 65'507;

// A datagram that fits into an Ethernet frame; stands for a length that is not known yet.
constexpr std::uint64_t kUsualUdpBlock = 1448;

// From here on 32-bit counters, which iperf3 reads as signed, are ambiguous (iperf 3.12,
// src/iperf_udp.c, iperf_udp_recv).
constexpr double kMaxSmallCounter = 0x1p31;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

Status check_role(const Draft& draft)
{
    if (!draft.role) {
        return usage("must either be a client (-c) or server (-s)");
    }
    if (draft.role == Role::kServer && !draft.client_option.empty()) {
        return usage(draft.client_option + ": some option you are trying to set is client only");
    }
    if (draft.role == Role::kClient && !draft.server_option.empty()) {
        return usage(draft.server_option + ": some option you are trying to set is server only");
    }
    return {};
}

Status check_block(const Plan& plan)
{
    if (!plan.block_bytes) {
        return {};
    }
    const std::uint64_t bytes = *plan.block_bytes;
    const std::string shown = "--length '" + std::to_string(bytes) + "': ";
    if (bytes > kMaxBlock) {
        return usage(shown + "block size too large (maximum = 1048576 bytes)");
    }
    if (plan.protocol == Protocol::kUdp && (bytes < kMinUdpBlock || bytes > kMaxUdpBlock)) {
        return usage(shown + "block size invalid (minimum = 16 bytes, maximum = 65507 bytes)");
    }
    return {};
}

Status check_output(const Plan& plan)
{
    if (plan.json_stream_full && !plan.json_stream) {
        return usage("--json-stream-full-output: needs --json-stream");
    }
    return {};
}

Status check_server(const Plan& plan)
{
    if (plan.one_off && plan.concurrent > 1) {
        return usage("--concurrent '" + std::to_string(plan.concurrent) +
                     "': with -1 the server ends after one test");
    }
    return {};
}

Status check_end(const Draft& draft)
{
    const int conditions = static_cast<int>(draft.plan.bytes != 0) +
                           static_cast<int>(draft.plan.blocks != 0) +
                           static_cast<int>(draft.duration_given);
    if (conditions > 1) {
        return usage("only one test end condition (-t, -n, -k) may be specified");
    }
    return {};
}

Status check_direction(const Plan& plan)
{
    if (plan.reverse && plan.bidirectional) {
        return usage("--reverse, --bidir: cannot be both reverse and bidirectional");
    }
    if (plan.rcv_timeout && !plan.reverse && !plan.bidirectional) {
        return usage("--rcv-timeout '" + std::to_string(plan.rcv_timeout->count()) +
                     "': client receive timeout is valid only in receiving mode");
    }
    return {};
}

// Half an authentication is none, and the user believes to have it.
Status check_authentication(const Plan& plan)
{
    if (plan.username.has_value() != plan.rsa_public_key_path.has_value()) {
        return usage("you must specify a username, password, and path to a valid RSA public key");
    }
    if (plan.rsa_private_key_path.has_value() != plan.authorized_users_path.has_value()) {
        return usage(
            "you must specify a path to a valid RSA private key and a user credential file");
    }
    return {};
}

// The gateway of a server leads to clients that it does not know yet.
Status check_gateways(const Plan& plan)
{
    if (plan.default_route && plan.gateways.empty()) {
        return usage("--default-route: needs a --gateway");
    }
    for (const IpAddress& gateway : plan.gateways) {
        const std::string shown = "--gateway '" + to_string(gateway) + "': ";
        if (plan.role == Role::kServer && !plan.default_route) {
            return usage(shown + "a server can't know who is behind it; add --default-route");
        }
        const bool reachable = std::ranges::any_of(
            plan.addresses, [&](const IpPrefix& p) { return p.contains(gateway); });
        if (!plan.addresses.empty() && !reachable) {
            return usage(shown + "is in the network of no --ip");
        }
    }
    return {};
}

// The most datagrams that a stream of this test can have; infinite without a limit.
double max_datagrams(const Plan& plan)
{
    const auto block = static_cast<double>(plan.block_bytes.value_or(kUsualUdpBlock));
    const double by_blocks = plan.blocks != 0 ? static_cast<double>(plan.blocks) : kUnlimited;
    const double by_bytes = plan.bytes != 0 ? static_cast<double>(plan.bytes) / block : kUnlimited;
    double by_time = kUnlimited;
    if (plan.rate->bps() != 0 && plan.duration->count() != 0) {
        const double packets_per_second = static_cast<double>(plan.rate->bps()) / (block * 8);
        by_time = packets_per_second * seconds(*plan.duration + plan.omit);
    }
    return std::min({by_blocks, by_bytes, by_time});
}

void set_client_defaults(Plan& plan)
{
    // iperf 3.12, src/iperf_api.c, iperf_parse_arguments.
    plan.ends_with_file = plan.file && !plan.duration && !ends_by_amount(plan);
    plan.rate = rate_of(plan);
    plan.duration = duration_of(plan);
    if (plan.protocol == Protocol::kUdp && max_datagrams(plan) >= kMaxSmallCounter) {
        plan.counters_64bit = true;
    }
}

Status check_file(const Plan& plan)
{
    if (plan.file && plan.protocol == Protocol::kUdp) {
        return usage("--file '" + *plan.file + "': cannot transfer file using UDP");
    }
    if (plan.file && plan.bidirectional) {
        return usage(
            "--file '" + *plan.file + "': with --bidir it would be overwritten while it is sent");
    }
    return {};
}

Status check_client(const Draft& draft)
{
    for (const Status& status : {check_block(draft.plan), check_end(draft),
             check_direction(draft.plan), check_file(draft.plan), check_requirements(draft.plan)}) {
        if (!status) {
            return status;
        }
    }
    return {};
}

}  // namespace

Status validate(Draft& draft)
{
    if (Status status = check_role(draft); !status) {
        return status;
    }
    draft.plan.role = *draft.role;
    for (const Status& status : {check_output(draft.plan), check_server(draft.plan),
             check_gateways(draft.plan), check_authentication(draft.plan)}) {
        if (!status) {
            return status;
        }
    }
    if (draft.plan.role != Role::kClient) {
        return {};
    }
    if (Status status = check_client(draft); !status) {
        return status;
    }
    set_client_defaults(draft.plan);
    return {};
}

}  // namespace dpdkperf::options
