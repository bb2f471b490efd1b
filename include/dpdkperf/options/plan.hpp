#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/base/units.hpp"
#include "dpdkperf/impair/plan.hpp"
#include "dpdkperf/stats/requirement.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dpdkperf::options {

enum class Role { kClient, kServer, kHelp, kVersion };
enum class Family { kAny, kIpv4, kIpv6 };
enum class Protocol { kTcp, kUdp };

// When a peer that says nothing is asked whether it is still there, and given up.
struct Keepalive {
    std::chrono::seconds idle{5}, interval{5};
    int count = 4;

    friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

// What the user asked for; immutable after validate(). Values are iperf3's, in our units;
// an empty optional means that the option was not given.
struct Plan {
    Role role = Role::kClient;

    // Both roles.
    std::uint16_t port = 5201;                                   // -p
    std::chrono::nanoseconds interval{std::chrono::seconds{1}};  // -i, 0: none
    std::optional<std::string> bind_address;                     // -B, without %dev
    std::optional<std::string> bind_device;                // --bind-dev, or the %dev of -B or -c
    Family family = Family::kAny;                          // -4, -6
    bool verbose = false;                                  // -V
    bool json = false;                                     // -J
    bool json_stream = false;                              // --json-stream
    bool json_stream_full = false;                         // --json-stream-full-output
    bool force_flush = false;                              // --forceflush
    RateUnit rate_unit = RateUnit::kAdaptiveBits;          // -f
    std::optional<std::string> timestamp_format;           // --timestamps, as strftime(3) has it
    std::string log_file;                                  // --logfile, empty: standard output
    int debug_level = 0;                                   // -d, --debug; 0 to 4
    std::optional<std::chrono::milliseconds> rcv_timeout;  // --rcv-timeout; iperf3: 120 s

    std::optional<std::chrono::milliseconds> snd_timeout;  // --snd-timeout; as patient as TCP is
    Keepalive control_keepalive;                           // --cntl-ka
    std::optional<std::string> pid_file;                   // -I
    std::optional<unsigned> cpu;                           // -A, of our poller
    std::optional<std::string> file;                       // -F
    bool pkcs1_padding = false;                            // --use-pkcs1-padding

    // Server.
    bool one_off = false;                              // -1
    std::uint32_t concurrent = 1;                      // --concurrent, ours
    bool daemon = false;                               // -D
    std::optional<std::chrono::seconds> idle_timeout;  // --idle-timeout
    std::optional<std::chrono::seconds> max_duration;  // --server-max-duration
    // --server-bitrate-limit: of all streams together, both directions, averaged over the window;
    // a window of 0 stands for a report's interval.
    BitRate max_total_rate;  // 0: unlimited
    std::chrono::nanoseconds rate_window{std::chrono::seconds{5}};
    // Both are given or none is.
    std::optional<std::string> rsa_private_key_path;   // --rsa-private-key-path
    std::optional<std::string> authorized_users_path;  // --authorized-users-path
    std::chrono::seconds max_time_skew{10};            // --time-skew-threshold

    // Client.
    std::string host;                              // -c, without %dev
    Protocol protocol = Protocol::kTcp;            // -u
    std::optional<BitRate> rate;                   // -b; 0: unlimited. validate() sets the default
    std::uint32_t burst = 0;                       // -b rate/N, 0: none
    std::optional<std::uint64_t> block_bytes;      // -l
    std::optional<std::chrono::seconds> duration;  // -t; 0: without end, or ended by -n or -k.
                                                   // validate() sets the default
    std::uint64_t bytes = 0;                       // -n, 0: no limit
    std::uint64_t blocks = 0;                      // -k, 0: no limit
    std::optional<std::uint32_t> parallel;         // -P; iperf3: 1, see DataPath::streams
    bool reverse = false;                          // -R
    bool bidirectional = false;                    // --bidir
    std::chrono::seconds omit{0};                  // -O
    std::optional<std::uint16_t> client_port;      // --cport
    bool ends_with_file = false;                   // -F has a length, which is -n
    bool counters_64bit = false;                   // --udp-counters-64bit, or chosen by validate()
    bool repeating_payload = false;                // --repeating-payload
    std::optional<std::chrono::milliseconds> connect_timeout;  // --connect-timeout
    std::uint64_t window_bytes = 0;                            // -w, 0: the system's default
    std::string congestion;                                    // -C, empty: each side's default
    std::uint32_t mss_bytes = 0;                               // -M, 0: what the MTU holds
    bool no_delay = false;                                     // -N
    BitRate fq_rate;                                           // --fq-rate, 0: none
    bool zerocopy = false;                                     // -Z, a wish to stock senders only
    std::chrono::microseconds pacing_timer{1000};  // --pacing-timer, a wish to senders up to 3.17
    bool skip_rx_copy = false;                     // --skip-rx-copy, a wish to stock receivers
    bool gsro = false;                             // --gsro, a wish to peers from 3.21 on
    bool dont_fragment = false;                    // --dont-fragment, a wish: our datagrams are
                                                   // never fragmented
    std::uint32_t flow_label = 0;                  // -L, 0: none
    std::optional<unsigned> server_cpu;            // -A n,m: m, a wish to the server
    bool get_server_output = false;                // --get-server-output
    std::string title;                             // -T
    std::string extra_data;                        // --extra-data
    std::uint8_t tos = 0;                          // -S, --dscp (shifted left by two)

    // What the user should hear about the options, once.
    std::vector<std::string> warnings;

    // Both are given or none is.
    std::optional<std::string> username;             // --username
    std::optional<std::string> rsa_public_key_path;  // --rsa-public-key-path

    // What stands before "--": for DPDK's EAL.
    std::vector<std::string> eal_arguments;

    // Ours, both roles, for a port that DPDK owns.
    std::vector<IpPrefix> addresses;         // --ip, of its kernel twin
    std::vector<IpAddress> gateways;         // --gateway, at most one of either family
    bool default_route = false;              // --default-route
    std::optional<std::uint32_t> mtu_bytes;  // --mtu, of IP packets

    // Ours, both roles, for any port.
    bool verify_all_checksums = false;       // --rx-csum full
    bool dry_run = false;                    // --dry-run
    impair::Plan impairment;                 // --impair
    std::optional<std::string> user;         // --user
    std::optional<std::string> save_folder;  // --save
    std::vector<std::string> command_line;   // for --save: all of it, without the program's name
    std::optional<std::string> pcap_file;    // --pcap
    std::uint32_t pcap_frames = 1000;        // --pcap FILE:N, of each direction

    // Ours, of a client.
    std::vector<stats::Requirement> requirements;  // --require
    std::optional<std::chrono::seconds> wait;      // --wait
};

}  // namespace dpdkperf::options
