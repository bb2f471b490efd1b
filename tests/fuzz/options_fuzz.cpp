// A command line, an argument per line: whatever parse() takes is a plan within iperf3's limits.

#include "dpdkperf/options/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace dpdkperf::options;
using namespace std::chrono_literals;

void must(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

void check_both(const Plan& plan)
{
    must(plan.port > 0 && plan.interval >= 0s && plan.interval <= 60s);
    must(!plan.rcv_timeout || (*plan.rcv_timeout >= 100ms && *plan.rcv_timeout <= 24h));
    must(!plan.snd_timeout || (*plan.snd_timeout >= 0ms && *plan.snd_timeout <= 24h));
    const Keepalive& keepalive = plan.control_keepalive;
    must(keepalive.idle > 0s && keepalive.interval > 0s && keepalive.count > 0);
}

void check_server(const Plan& plan)
{
    must(!plan.idle_timeout || (*plan.idle_timeout > 0s && *plan.idle_timeout <= 24h));
    must(!plan.max_duration || (*plan.max_duration > 0s && *plan.max_duration <= 24h));
    must(plan.rate_window >= 0s && plan.rate_window <= 60s);
    must(plan.max_time_skew > 0s);
    must(plan.rsa_private_key_path.has_value() == plan.authorized_users_path.has_value());
}

void check_client(const Plan& plan)
{
    must(!plan.host.empty() && !(plan.reverse && plan.bidirectional));
    must(plan.burst <= 1000 && plan.omit >= 0s && plan.omit <= 600s);
    must(!plan.duration || (*plan.duration >= 0s && *plan.duration <= 24h));
    const bool udp = plan.protocol == Protocol::kUdp;
    const auto [least, most] = udp ? std::pair{16U, 65'507U} : std::pair{1U, 1U << 20U};
    must(!plan.block_bytes || (*plan.block_bytes >= least && *plan.block_bytes <= most));
    must(!udp || plan.rate);
    must(plan.username.has_value() == plan.rsa_public_key_path.has_value());
    must(!plan.wait || (*plan.wait > 0s && *plan.wait <= 24h));
    for (const auto& requirement : plan.requirements) {
        const auto& known = dpdkperf::stats::name_of(requirement.measure);
        must(requirement.wanted >= 0 && (udp ? known.udp : known.tcp));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    std::string_view text{reinterpret_cast<const char*>(data), bytes};
    std::vector<std::string_view> arguments;
    while (!text.empty()) {
        arguments.push_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(arguments.back().size() + 1, text.size()));
    }
    const auto plan = parse(arguments);
    if (!plan) {
        must(!plan.error().message.empty());
        return 0;
    }
    check_both(*plan);
    if (plan->role == Role::kServer) {
        check_server(*plan);
    } else if (plan->role == Role::kClient) {
        check_client(*plan);
    }
    return 0;
}
