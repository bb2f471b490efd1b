#include "dpdkperf/proto/parameters.hpp"

#include "dpdkperf/proto/messages.hpp"
#include "json_document.hpp"

#include <algorithm>
#include <optional>

namespace dpdkperf::proto {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct NumberKey {
    const char* name;
    std::int64_t min, max;
    IperfError out_of_range;
    void (*store)(Parameters& to, std::int64_t value);
};

constexpr std::uint64_t kMaxDatagramBytes = 65'507;
constexpr std::uint64_t kMaxGsoDatagrams = 128;  // Linux, include/linux/udp.h, UDP_MAX_SEGMENTS

constexpr std::int64_t kNoLimit = std::int64_t{1} << 62;

template <class T>
constexpr auto as(std::int64_t value)
{
    return static_cast<T>(value);
}

// Limits of iperf 3.21's server (src/iperf_api.c, get_parameters). What only TCP or a stock
// sender can use is checked and otherwise left alone.
constexpr NumberKey kNumbers[] = {
    {"omit", 0, 600, IperfError::kOmit,
        [](Parameters& p, std::int64_t v) { p.omit = std::chrono::seconds{v}; }},
    {"time", 0, 86400, IperfError::kDuration,
        [](Parameters& p, std::int64_t v) { p.time = std::chrono::seconds{v}; }},
    {"num", 0, kNoLimit, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.bytes = as<std::uint64_t>(v); }},
    {"blockcount", 0, kNoLimit, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.blocks = as<std::uint64_t>(v); }},
    {"MSS", 0, 32767, IperfError::kMss,
        [](Parameters& p, std::int64_t v) { p.mss_bytes = as<std::uint32_t>(v); }},
    {"parallel", 1, 128, IperfError::kStreamCount,
        [](Parameters& p, std::int64_t v) { p.parallel = as<std::uint32_t>(v); }},
    {"window", 0, std::int64_t{512} << 20, IperfError::kWindow,
        [](Parameters& p, std::int64_t v) { p.window_bytes = as<std::uint64_t>(v); }},
    {"len", 1, kNoLimit, IperfError::kBlockSize,
        [](Parameters& p, std::int64_t v) { p.block_bytes = as<std::uint64_t>(v); }},
    {"bandwidth", 0, kNoLimit, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.rate = BitRate::from_bps(as<std::uint64_t>(v)); }},
    {"fqrate", 0, kNoLimit, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.fq_rate = BitRate::from_bps(as<std::uint64_t>(v)); }},
    {"burst", 1, 1000, IperfError::kBurst,
        [](Parameters& p, std::int64_t v) { p.burst = as<std::uint32_t>(v); }},
    {"pacing_timer", 0, kNoLimit, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.pacing_timer = std::chrono::microseconds{v}; }},
    {"gso", 0, 1, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.gsro = v != 0; }},
    {"gro", 0, 1, IperfError::kReceiveParameters, [](Parameters&, std::int64_t) {}},
    {"TOS", 0, 255, IperfError::kTos,
        [](Parameters& p, std::int64_t v) { p.tos = as<std::uint8_t>(v); }},
    {"flowlabel", 1, 0xfffff, IperfError::kSetFlowLabel,
        [](Parameters& p, std::int64_t v) { p.flow_label = as<std::uint32_t>(v); }},
    {"server_affinity", 0, 1024, IperfError::kSetAffinity,
        [](Parameters& p, std::int64_t v) { p.server_cpu = as<unsigned>(v); }},
    {"dont_fragment", 0, 1, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.dont_fragment = v != 0; }},
    {"zerocopy", 0, 1, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.zerocopy = v != 0; }},
    {"skip_rx_copy", 0, 1, IperfError::kReceiveParameters,
        [](Parameters& p, std::int64_t v) { p.skip_rx_copy = v != 0; }},
};

constexpr std::pair<const char*, Transport> kTransports[] = {
    {"tcp", Transport::kTcp}, {"udp", Transport::kUdp}, {"sctp", Transport::kSctp}};

struct TextKey {
    const char* name;
    std::string Parameters::*to;
};

constexpr TextKey kTextKeys[] = {
    {"title", &Parameters::title},
    {"extra_data", &Parameters::extra_data},
    {"congestion", &Parameters::congestion},
    {"authtoken", &Parameters::auth_token},
    {"client_version", &Parameters::client_version},
};

struct PresenceKey {
    const char* name;
    bool number;  // as stock clients send it: 1, or else true
    bool Parameters::*to;
};

constexpr PresenceKey kPresences[] = {
    {"nodelay", false, &Parameters::no_delay},
    {"reverse", false, &Parameters::reverse},
    {"bidirectional", false, &Parameters::bidirectional},
    {"get_server_output", true, &Parameters::get_server_output},
    {"udp_counters_64bit", true, &Parameters::counters_64bit},
    {"repeating_payload", true, &Parameters::repeating_payload},
};

Failure bad_key(IperfError number, const char* name, const json& value)
{
    std::string shown = value.dump(-1, ' ', true, json::error_handler_t::replace);
    shown.resize(std::min<std::size_t>(shown.size(), 40));
    return {number, 0, std::string{"\""} + name + "\":" + shown};
}

// The value of key `name`, null if there is none.
const json* find(const json& object, const char* name)
{
    const auto at = object.find(name);
    return at == object.end() ? nullptr : &*at;
}

std::optional<Failure> read_numbers(const json& object, Parameters& to)
{
    for (const NumberKey& key : kNumbers) {
        if (const json* value = find(object, key.name)) {
            const auto number = to_counter(*value);
            if (!number) {
                return bad_key(IperfError::kReceiveParameters, key.name, *value);
            }
            if (*number < key.min || *number > key.max) {
                return bad_key(key.out_of_range, key.name, *value);
            }
            key.store(to, *number);
        }
    }
    return {};
}

std::optional<Failure> read_texts(const json& object, Parameters& to)
{
    for (const TextKey& key : kTextKeys) {
        if (const json* value = find(object, key.name)) {
            if (!value->is_string()) {
                return bad_key(IperfError::kReceiveParameters, key.name, *value);
            }
            to.*key.to = value->get<std::string>();
        }
    }
    return {};
}

std::optional<Failure> read_presences(const json& object, Parameters& to)
{
    for (const PresenceKey& key : kPresences) {
        if (const json* value = find(object, key.name)) {
            if (key.number ? !value->is_number() : !value->is_boolean()) {
                return bad_key(IperfError::kReceiveParameters, key.name, *value);
            }
            to.*key.to = true;
        }
    }
    return {};
}

// The last of these that is there counts (src/iperf_api.c, get_parameters).
std::optional<Failure> read_transport(const json& object, Parameters& to)
{
    for (const auto& [name, transport] : kTransports) {
        if (const json* value = find(object, name)) {
            if (!value->is_boolean()) {
                return bad_key(IperfError::kReceiveParameters, name, *value);
            }
            to.transport = transport;
        }
    }
    return {};
}

std::optional<Failure> check_block(const json& object, const Parameters& parameters)
{
    const std::uint64_t bytes = parameters.block_bytes;
    const bool udp = parameters.transport == Transport::kUdp;
    const bool good = udp ? bytes >= 16 && bytes <= 65507 : bytes <= std::uint64_t{1} << 20;
    if (good) {
        return {};
    }
    const json* value = find(object, "len");
    return bad_key(udp ? IperfError::kUdpBlockSize : IperfError::kBlockSize, "len",
        value != nullptr ? *value : json{});
}

void write_what_is_on(const Parameters& from, ordered_json& to)
{
    // Number 1 or true as stock clients do, and never 0 or false: presence counts.
    for (const PresenceKey& key : kPresences) {
        if (from.*key.to) {
            to[key.name] = key.number ? ordered_json(1) : ordered_json(true);
        }
    }
    for (const TextKey& key : kTextKeys) {
        if (!(from.*key.to).empty()) {
            to[key.name] = from.*key.to;
        }
    }
}

void write_what_is_not_zero(const Parameters& from, ordered_json& to)
{
    // A receiver from 3.19.1 on that skips the copy counts datagrams wrong.
    const bool skip_rx_copy = from.skip_rx_copy && from.transport == Transport::kTcp;
    const std::pair<const char*, std::uint64_t> numbers[] = {{"MSS", from.mss_bytes},
        {"window", from.window_bytes}, {"bandwidth", from.rate.bps()},
        {"fqrate", from.fq_rate.bps()}, {"burst", from.burst}, {"TOS", from.tos},
        {"flowlabel", from.flow_label}, {"dont_fragment", from.dont_fragment ? 1U : 0U},
        {"zerocopy", from.zerocopy ? 1U : 0U}, {"skip_rx_copy", skip_rx_copy ? 1U : 0U}};
    for (const auto& [name, value] : numbers) {
        if (value != 0) {
            to[name] = value;
        }
    }
}

// Sizes of the buffers that iperf3 sends from and receives into (3.21, src/iperf_api.c): whole
// datagrams, as many as one sendmsg() may have.
void write_gsro(const Parameters& from, ordered_json& to)
{
    // A server from 3.21 on keeps the last client's values for keys that do not come.
    to["gso"] = from.gsro ? 1 : 0;
    to["gro"] = from.gsro ? 1 : 0;
    if (from.gsro && from.block_bytes > 0) {
        const std::uint64_t datagrams =
            std::min(kMaxDatagramBytes / from.block_bytes, kMaxGsoDatagrams);
        to["gso_dg_size"] = from.block_bytes;
        to["gso_bf_size"] = datagrams * from.block_bytes;
        to["gro_bf_size"] = kMaxDatagramBytes;
    }
}

}  // namespace

Parsed<Parameters> parse_parameters(std::string_view document)
{
    const json object = parse_object(document, 4);
    if (object.is_discarded()) {
        return Failure{IperfError::kReceiveParameters, 0, "not a JSON object"};
    }
    Parameters parameters;
    for (const auto read : {read_transport, read_numbers, read_texts, read_presences}) {
        if (auto failure = read(object, parameters)) {
            return *std::move(failure);
        }
    }
    if (auto failure = check_block(object, parameters)) {
        return *std::move(failure);
    }
    // Wishes that mean nothing to the other transports.
    parameters.gsro = parameters.gsro && parameters.transport == Transport::kUdp;
    parameters.skip_rx_copy = parameters.skip_rx_copy && parameters.transport == Transport::kTcp;
    return parameters;
}

Result<std::string> to_document(const Parameters& parameters)
{
    ordered_json document;
    for (const auto& [name, transport] : kTransports) {
        if (transport == parameters.transport) {
            document[name] = true;
        }
    }
    document["omit"] = parameters.omit.count();
    document["time"] = parameters.time.count();
    document["num"] = parameters.bytes;
    document["blockcount"] = parameters.blocks;
    document["parallel"] = parameters.parallel;
    document["len"] = parameters.block_bytes;
    document["pacing_timer"] = parameters.pacing_timer.count();
    if (parameters.server_cpu) {
        document["server_affinity"] = *parameters.server_cpu;
    }
    write_what_is_not_zero(parameters, document);
    write_what_is_on(parameters, document);
    if (parameters.transport == Transport::kUdp) {
        write_gsro(parameters, document);
    }
    std::string text = to_text(document);
    if (text.size() > kMaxParametersBytes) {
        return Error{Errc::kUsage, "the parameters of the test take " +
                                       std::to_string(text.size()) + " bytes, servers accept " +
                                       std::to_string(kMaxParametersBytes)};
    }
    return text;
}

}  // namespace dpdkperf::proto
