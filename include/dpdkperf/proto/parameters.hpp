#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/base/units.hpp"
#include "dpdkperf/proto/failure.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dpdkperf::proto {

enum class Transport : std::uint8_t { kTcp, kUdp, kSctp };

// iperf 3.12, src/iperf.h, DEFAULT_TCP_BLKSIZE.
inline constexpr std::uint64_t kDefaultBlockBytes = 131'072;

// What a client asks for: the document of PARAM_EXCHANGE. Defaults are a server's for a key that
// does not come (iperf 3.12, src/iperf_api.c, get_parameters and iperf_defaults).
struct Parameters {
    Transport transport = Transport::kTcp;
    std::chrono::seconds omit{0};   // 0 to 600
    std::chrono::seconds time{10};  // 0 to 86400; 0: without limit
    std::uint64_t bytes = 0;        // -n, 0: no limit
    std::uint64_t blocks = 0;       // -k, 0: no limit
    std::uint32_t parallel = 1;     // streams per direction, 1 to 128
    bool reverse = false;
    bool bidirectional = false;
    std::uint32_t mss_bytes = 0;     // TCP, up to 32767; 0: what the MTU holds
    bool no_delay = false;           // TCP
    std::uint64_t window_bytes = 0;  // at most 512 MiB
    // TCP: of a write or a read, 1 to 1 MiB. UDP: payload of a datagram, 16 to 65507.
    std::uint64_t block_bytes = kDefaultBlockBytes;
    BitRate rate;             // per stream, 0: unlimited
    BitRate fq_rate;          // per stream, packet by packet, 0: unlimited
    std::uint32_t burst = 0;  // 1 to 1000; 0: not given
    std::uint8_t tos = 0;
    std::uint32_t flow_label = 0;        // IPv6, up to 0xfffff; 0: none
    std::optional<unsigned> server_cpu;  // where the server is to run, 0 to 1024
    // Between two looks at the rate by senders up to 3.17.
    std::chrono::microseconds pacing_timer{1000};
    bool get_server_output = false;
    bool counters_64bit = false;
    bool repeating_payload = false;
    bool dont_fragment = false;
    bool zerocopy = false;      // a sender of iperf3's uses sendfile()
    bool skip_rx_copy = false;  // TCP: a receiver of iperf3's, from 3.19 on, copies no data
    bool gsro = false;          // UDP: iperf3, from 3.21 on, uses GSO and GRO
    std::string title;
    std::string extra_data;
    std::string congestion;  // TCP, empty: each side's default
    std::string auth_token;  // empty: the client has not said who it is
    std::string client_version;

    // Streams in all, both directions.
    [[nodiscard]] std::uint32_t streams() const { return bidirectional ? 2 * parallel : parallel; }

    friend bool operator==(const Parameters&, const Parameters&) = default;
};

// Reads a client's document, with the limits of iperf 3.21's server. The presence of a key turns
// reverse, udp_counters_64bit and their like on, whatever its value, as in iperf3. Stricter than
// iperf3 in one thing: a value of the wrong type is refused instead of ignored, for a test that is
// not the one asked for gives wrong numbers. Keys that we do not know are ignored.
Parsed<Parameters> parse_parameters(std::string_view document);

// The document as a client sends it. Errors: larger than kMaxParametersBytes.
Result<std::string> to_document(const Parameters& parameters);

}  // namespace dpdkperf::proto
