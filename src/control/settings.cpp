#include "settings.hpp"

#include "dpdkperf/host/cpus.hpp"
#include "dpdkperf/options/defaults.hpp"
#include "streams.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

namespace dpdkperf::control {

namespace {

// iperf3's stand-in for an unknown segment size (3.12, src/iperf.h, DEFAULT_UDP_BLKSIZE), and the
// largest UDP payload over IPv4.
constexpr std::uint32_t kDefaultDatagram = 1460;
constexpr std::uint32_t kLargestDatagram = 65507;

std::uint64_t default_datagram(std::uint32_t control_mss_bytes, PayloadBytes max_datagram)
{
    const bool usable = control_mss_bytes > 0 && control_mss_bytes <= kLargestDatagram;
    const std::uint64_t bytes = usable ? control_mss_bytes : kDefaultDatagram;
    return std::min(bytes, max_datagram.value);
}

// What differs between TCP and UDP where the user did not say.
void set_by_transport(proto::Parameters& parameters, const options::Plan& plan,
    std::uint32_t control_mss_bytes, PayloadBytes max_datagram)
{
    const bool udp = plan.protocol == options::Protocol::kUdp;
    parameters.transport = udp ? proto::Transport::kUdp : proto::Transport::kTcp;
    parameters.rate = options::rate_of(plan);
    parameters.block_bytes = plan.block_bytes.value_or(
        udp ? default_datagram(control_mss_bytes, max_datagram) : proto::kDefaultBlockBytes);
}

}  // namespace

proto::Parameters parameters_of(const options::Plan& plan, std::uint32_t control_mss_bytes,
    PayloadBytes max_datagram, std::uint32_t default_streams)
{
    proto::Parameters p;
    set_by_transport(p, plan, control_mss_bytes, max_datagram);
    p.omit = plan.omit;
    p.time = options::duration_of(plan);
    p.bytes = plan.bytes;
    p.blocks = plan.blocks;
    p.parallel = plan.parallel.value_or(default_streams);
    p.reverse = plan.reverse;
    p.bidirectional = plan.bidirectional;
    p.window_bytes = plan.window_bytes;
    p.congestion = plan.congestion;
    p.mss_bytes = plan.mss_bytes;
    p.no_delay = plan.no_delay;
    p.zerocopy = plan.zerocopy;
    p.skip_rx_copy = plan.skip_rx_copy;
    p.gsro = plan.gsro;
    p.pacing_timer = plan.pacing_timer;
    p.dont_fragment = plan.dont_fragment;
    p.flow_label = plan.flow_label;
    p.server_cpu = plan.server_cpu;
    p.fq_rate = plan.fq_rate;
    p.burst = plan.burst;
    p.tos = plan.tos;
    p.counters_64bit = plan.counters_64bit;
    p.repeating_payload = plan.repeating_payload;
    p.get_server_output = plan.get_server_output;
    p.title = plan.title;
    p.extra_data = plan.extra_data;
    p.client_version = "dpdkperf";
    return p;
}

std::string shown_host(const options::Plan& plan)
{
    const auto address = IpAddress::parse(plan.host);
    const bool scoped = address && address->is_link_local_v6() && plan.bind_device;
    return scoped ? plan.host + '%' + *plan.bind_device : plan.host;
}

stats::TestSettings settings_of(const options::Plan& plan, const proto::Parameters& parameters,
    const proto::Cookie& cookie, const std::optional<Endpoint>& peer,
    std::uint32_t control_mss_bytes)
{
    stats::TestSettings settings;
    settings.server = plan.role == options::Role::kServer;
    settings.host = shown_host(plan);
    settings.port = plan.port;
    settings.peer = peer;
    settings.cookie = cookie.text();
    settings.wall_clock = std::chrono::system_clock::now();
    settings.udp = parameters.transport == proto::Transport::kUdp;
    settings.streams = parameters.parallel;
    settings.block_bytes = parameters.block_bytes;
    settings.omit = parameters.omit;
    settings.duration = parameters.time;
    settings.bytes = parameters.bytes;
    settings.blocks = parameters.blocks;
    settings.reverse = parameters.reverse;
    settings.bidirectional = parameters.bidirectional;
    settings.tos = parameters.tos;
    settings.rate = parameters.rate;
    settings.fq_rate = parameters.fq_rate;
    settings.burst = parameters.burst;
    settings.interval = plan.interval;
    settings.window_bytes = parameters.window_bytes;
    settings.mss_bytes = settings.udp ? 0 : parameters.mss_bytes;
    settings.control_mss_bytes = control_mss_bytes;
    settings.relayed = parameters.get_server_output;
    settings.title = parameters.title;
    settings.extra_data = parameters.extra_data;
    if (plan.impairment.any()) {
        settings.impairment = to_string(plan.impairment);
    }
    if (settings.server) {
        settings.peer_version = parameters.client_version;
    }
    settings.block_from_mss = settings.udp && !settings.server && !plan.block_bytes;
    return settings;
}

std::optional<proto::Failure> check_limits(
    const options::Plan& plan, const proto::Parameters& parameters)
{
    const auto& longest = plan.max_duration;
    const bool endless = parameters.time.count() == 0;
    if (longest && (endless || parameters.omit + parameters.time > *longest)) {
        return proto::Failure{proto::IperfError::kServerMaxDuration, 0, {}};
    }
    if (plan.max_total_rate.bps() > 0) {
        const auto share = plan.max_total_rate.bps() / parameters.streams();
        if (parameters.rate.bps() > share || parameters.fq_rate.bps() > share) {
            return proto::Failure{proto::IperfError::kRateLimit, 0, {}};
        }
    }
    return {};
}

std::optional<proto::Failure> check_datagram(
    std::uint64_t bytes, PayloadBytes max_datagram, const std::string& interface)
{
    if (bytes <= max_datagram.value) {
        return {};
    }
    return proto::Failure{proto::IperfError::kUdpBlockSize, 0,
        std::to_string(bytes) + " bytes do not fit into one packet on " + interface + ", at most " +
            std::to_string(max_datagram.value) + " do"};
}

// Linux 6.1, include/net/tcp.h, TCP_MIN_MSS.
std::optional<proto::Failure> check_mss(std::uint32_t mss_bytes)
{
    constexpr std::uint32_t kMinMss = 88;
    if (mss_bytes == 0 || mss_bytes >= kMinMss) {
        return {};
    }
    return proto::Failure{proto::IperfError::kSetMss, EINVAL, {}};
}

std::optional<proto::Failure> check_cpu(const std::optional<unsigned>& cpu)
{
    if (!cpu || host::can_run_on(*cpu)) {
        return {};
    }
    return proto::Failure{proto::IperfError::kSetAffinity, EINVAL, "CPU " + std::to_string(*cpu)};
}

std::string interrupted(bool server, int signal)
{
    const char* name = sigdescr_np(signal);
    return std::string{"interrupt - the "} + (server ? "server" : "client") +
           " has terminated by signal " + (name != nullptr ? name : "unknown") + "(" +
           std::to_string(signal) + ")";
}

proto::TraceLevel trace_level(int debug_level)
{
    constexpr int kErrors = 1, kInformation = 3;
    if (debug_level < kErrors) {
        return proto::TraceLevel::kNothing;
    }
    return debug_level < kInformation ? proto::TraceLevel::kDocuments
                                      : proto::TraceLevel::kMessages;
}

proto::Cookie new_cookie()
{
    std::random_device device;
    std::array<std::uint8_t, proto::Cookie::kSize - 1> random{};
    std::generate(
        random.begin(), random.end(), [&] { return static_cast<std::uint8_t>(device() & 0xff); });
    return proto::Cookie::from_random(random);
}

}  // namespace dpdkperf::control
