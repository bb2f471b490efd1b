#include "option.hpp"
#include "setters.hpp"

namespace dpdkperf::options {

namespace {

using enum Side;
using enum Takes;

constexpr Option row(char flag, std::string_view name, Side side, std::string_view help,
    Status (*apply)(Draft&, std::string_view))
{
    return {name, {}, {}, help, apply, side, kNothing, Support::kYes, flag};
}

constexpr Option row(char flag, std::string_view name, Side side, std::string_view value_name,
    std::string_view help, Status (*apply)(Draft&, std::string_view))
{
    return {name, {}, value_name, help, apply, side, kValue, Support::kYes, flag};
}

constexpr Option optional_row(char flag, std::string_view name, Side side,
    std::string_view value_name, std::string_view help, Status (*apply)(Draft&, std::string_view))
{
    return {name, {}, value_name, help, apply, side, kOptionalValue, Support::kYes, flag};
}

// An option of iperf3 that stays refused, with the reason.
constexpr Option never(
    char flag, std::string_view name, Side side, Takes takes, std::string_view reason)
{
    return {name, {}, {}, reason, nullptr, side, takes, Support::kNever, flag};
}

constexpr std::string_view kNoSctp =
    "SCTP is the kernel's; the engine that takes its place here speaks UDP and TCP";
constexpr std::string_view kNoMptcp =
    "MPTCP joins paths of the kernel's sockets; data passes by none of them here";

constexpr Option with_alias(std::string_view alias, Option option)
{
    option.alias = alias;
    return option;
}

constexpr Option with_effect(Effect effect, Option option)
{
    option.effect = effect;
    return option;
}

constexpr Option ours(Option option)
{
    option.ours = true;
    return option;
}

// Names, letters and sides: iperf 3.12, src/iperf_api.c, iperf_parse_arguments; the rows from
// --json-stream on came later (up to 3.21).
constexpr Option kTable[] = {
    row('p', "port", kBoth, "#", "server port to listen on/connect to (default 5201)", set_port),
    row('i', "interval", kBoth, "#",
        "seconds between periodic reports, 0.1 to 60\n(default 1, 0 for none)", set_interval),
    row('B', "bind", kBoth, "<host>[%<dev>]",
        "bind to the interface associated with the address <host>\n"
        "(optional <dev> equivalent to `--bind-dev <dev>`)",
        set_bind),
    row(0, "bind-dev", kBoth, "<dev>", "use the network interface <dev>", set_bind_device),
    row('V', "verbose", kBoth, "more detailed output", set_verbose),
    row('J', "json", kBoth, "output in JSON format", set_json),
    row(0, "json-stream", kBoth, "output in line-delimited JSON format", set_json_stream),
    row(0, "json-stream-full-output", kBoth,
        "output in JSON format (full) after streaming,\nwhich --json-stream asks for",
        set_json_stream_full),
    with_effect(Effect::kNone,
        row(0, "forceflush", kBoth, "force flushing output at every interval (always done)",
            set_force_flush)),
    row('f', "format", kBoth, "[kmgtKMGT]",
        "format to report: Kbits, Mbits, Gbits, Tbits,\nKBytes, MBytes, GBytes, TBytes per second",
        set_format),
    optional_row(0, "timestamps", kBoth, "=<format>",
        "emit a timestamp at the start of each output line\n"
        "(optional \"=\" and format string as per strftime(3))",
        set_timestamps),
    row(0, "logfile", kBoth, "<file>", "send output to a log file", set_log_file),
    optional_row('d', "debug", kBoth, "=#",
        "emit debugging output: with 1 the parameters and\nresults that are exchanged, "
        "from 3 on also all\nmessages (default and highest: 4)",
        set_debug),
    row(0, "rcv-timeout", kBoth, "#", "idle timeout for receiving data (default 120000 ms)",
        set_rcv_timeout),
    row('F', "file", kBoth, "<name>",
        "TCP: send the bytes of a file, whose end is that of the\ntest, or write to it what is "
        "received",
        set_file),
    row('A', "affinity", kBoth, "n[,m]",
        "poll on CPU n; a client's m is for the server.\nNot together with EAL's -l", set_affinity),
    row(0, "snd-timeout", kBoth, "#",
        "timeout for unacknowledged TCP data\n(in ms, default is system settings)",
        set_snd_timeout),
    optional_row(0, "cntl-ka", kBoth, "=#/#/#",
        "ask a silent control connection after # seconds,\nevery # seconds, # times, and give up "
        "(always done,\nby default 5/5/4)",
        set_control_keepalive),
    row('I', "pidfile", kBoth, "<file>", "write PID file", set_pid_file),
    row('4', "version4", kBoth, "only use IPv4", set_ipv4),
    row('6', "version6", kBoth, "only use IPv6", set_ipv6),
    row(0, "use-pkcs1-padding", kBoth,
        "encrypt authentication as iperf3 did up to 3.16\n(RSA with PKCS#1 v1.5 instead of OAEP)",
        set_pkcs1_padding),
    row('v', "version", kBoth, "show version information and quit", set_version),
    row('h', "help", kBoth, "show this message and quit", set_help),

    row('s', "server", kServer, "run in server mode", set_server),
    row('D', "daemon", kServer, "run the server as a daemon", set_daemon),
    row('1', "one-off", kServer, "handle one client connection then exit", set_one_off),
    ours(row(0, "concurrent", kServer, "#",
        "serve up to # clients at the same time (default 1,\nat most 16); each line tells whose it "
        "is\n(not in iperf3)",
        set_concurrent)),
    row(0, "server-bitrate-limit", kServer, "#[KMGT][/#]",
        "server's total bit rate limit (default 0 = no limit)\n"
        "(optional slash and number of secs interval for averaging\n"
        "total data rate. Default is 5 seconds)",
        set_total_rate),
    row(0, "server-max-duration", kServer, "#",
        "longest test that the server runs, in seconds,\nthe omitted part included "
        "(default 0 = any)",
        set_max_duration),
    row(0, "idle-timeout", kServer, "#",
        "restart idle server after # seconds in case it\ngot stuck (default - no timeout)",
        set_idle_timeout),
    row(0, "rsa-private-key-path", kServer, "<file>",
        "path to the RSA private key used to decrypt\nauthentication credentials", set_private_key),
    row(0, "authorized-users-path", kServer, "<file>",
        "path to the configuration file containing user\ncredentials", set_authorized_users),
    row(0, "time-skew-threshold", kServer, "#",
        "time skew threshold (in seconds) between the server\n"
        "and client during the authentication process\n(default 10)",
        set_time_skew),

    row('c', "client", kClient, "<host>[%<dev>]",
        "run in client mode, connecting to <host>\n"
        "(option <dev> equivalent to `--bind-dev <dev>`)",
        set_client),
    row('u', "udp", kClient, "use UDP rather than TCP", set_udp),
    row(0, "connect-timeout", kClient, "#", "timeout for control connection setup (ms)",
        set_connect_timeout),
    with_alias("bandwidth", row('b', "bitrate", kClient, "#[KMGT][/#]",
                                "target bitrate in bits/sec (0 for unlimited)\n"
                                "(default 1 Mbit/sec for UDP, unlimited for TCP)\n"
                                "(optional slash and packet count for burst mode)",
                                set_rate)),
    row(0, "fq-rate", kClient, "#[KMGT]", "limit of bitrate in bits/sec, paced packet by packet",
        set_fq_rate),
    row(0, "no-fq-socket-pacing", kClient, "the same as --fq-rate 0 (deprecated)",
        set_no_fq_socket_pacing),
    row('t', "time", kClient, "#", "time in seconds to transmit for (default 10 secs)",
        set_duration),
    row('n', "bytes", kClient, "#[KMGT]", "number of bytes to transmit (instead of -t)", set_bytes),
    row('k', "blockcount", kClient, "#[KMGT]",
        "number of blocks (packets) to transmit\n(instead of -t or -n)", set_blocks),
    row('l', "length", kClient, "#[KMGT]",
        "length of buffer to read or write, for UDP of a packet\n"
        "(default 128 KB for TCP, what the MTU holds for UDP)",
        set_length),
    // iperf3 takes it from a server, too, which has no use for it; so do we.
    row(0, "cport", kBoth, "<port>",
        "client: bind to a specific local port\n(default: ephemeral port)", set_client_port),
    row('P', "parallel", kClient, "#", "number of parallel client streams to run", set_parallel),
    row('R', "reverse", kClient, "run in reverse mode (server sends, client receives)",
        set_reverse),
    row(0, "bidir", kClient, "run in bidirectional mode.\nClient and server send and receive data.",
        set_bidirectional),
    row('w', "window", kClient, "#[KMG]",
        "set the socket buffer sizes of the other side\n(and for TCP the window that we offer)",
        set_window),
    with_alias("linux-congestion", row('C', "congestion", kClient, "cubic|reno",
                                       "set TCP congestion control algorithm\n"
                                       "(default cubic)",
                                       set_congestion)),
    row('M', "set-mss", kClient, "#", "set TCP maximum segment size (MTU - 40 bytes)", set_mss),
    row('N', "no-delay", kClient, "set TCP no delay, disabling Nagle's Algorithm", set_no_delay),
    row('T', "title", kClient, "str", "prefix every output line with this string", set_title),
    row(0, "extra-data", kClient, "str", "data string to include in client and server JSON",
        set_extra_data),
    row('S', "tos", kClient, "N",
        "set the IP type of service, 0-255.\n"
        "The usual prefixes for octal and hex can be used,\n"
        "i.e. 52, 064 and 0x34 all specify the same value.",
        set_tos),
    row(0, "dscp", kClient, "N",
        "set the IP dscp value, either 0-63 or symbolic.\n"
        "Numeric values can be specified in decimal,\n"
        "octal and hex (see --tos above).",
        set_dscp),
    row('L', "flowlabel", kClient, "N", "set the IPv6 flow label, 1 to 0xfffff", set_flow_label),
    with_effect(Effect::kThere,
        row('Z', "zerocopy", kClient,
            "use a 'zero copy' method of sending data\n(for the other side; we always do)",
            set_zerocopy)),
    with_effect(Effect::kThere,
        row(0, "skip-rx-copy", kClient,
            "receive TCP data without copying it\n(for the other side; we never do)",
            set_skip_rx_copy)),
    with_effect(Effect::kThere,
        row(0, "gsro", kClient,
            "send and receive several UDP packets at once\n(for the other side; we always do)",
            set_gsro)),
    with_effect(Effect::kThere, row(0, "pacing-timer", kClient, "#[KMGT]",
                                    "microseconds between two looks at the bitrate\n"
                                    "(for the other side, up to iperf 3.17; default 1000)",
                                    set_pacing_timer)),
    with_effect(Effect::kThere,
        row(0, "dont-fragment", kClient,
            "set IPv4 Don't Fragment in UDP packets\n(for the other side; we always do)",
            set_dont_fragment)),
    row('O', "omit", kClient, "N", "perform pre-test for N seconds and omit its statistics",
        set_omit),
    row(0, "get-server-output", kClient, "get results from server", set_get_server_output),
    // iperf3 takes it from a server, too.
    row(0, "udp-counters-64bit", kBoth,
        "client: use 64-bit counters in UDP test packets\n"
        "(by itself where 32 bits could overflow)",
        set_64bit_counters),
    row(0, "repeating-payload", kClient,
        "use repeating pattern in payload, instead of\nrandomized payload (like in iperf2)",
        set_repeating_payload),
    row(0, "username", kClient, "<name>",
        "username for authentication; the password comes from\n"
        "IPERF3_PASSWORD in the environment, or is asked for",
        set_username),
    row(0, "rsa-public-key-path", kClient, "<file>",
        "path to the RSA public key used to encrypt\nauthentication credentials", set_public_key),

    row(0, "ip", kPort, "<addr>/<len>",
        "address of a port that DPDK owns; may be given\nonce more for the other family", set_ip),
    row(0, "gateway", kPort, "<addr>",
        "reach the server through it (a host route);\nmay be given once more for the other family",
        set_gateway),
    row(0, "default-route", kPort, "reach everybody through the gateway", set_default_route),
    row(0, "mtu", kPort, "#", "largest IP packet (default: what the port has)", set_mtu),
    row(0, "rx-csum", kPort, "auto|full",
        "full: verify received checksums also where the\nlink is this machine's memory or its "
        "kernel",
        set_rx_csum),
    row(0, "impair", kPort, "[tx:|rx:]<what>",
        "a bad link on purpose: loss=1%, burst=0.1%/25%,\n"
        "delay=5ms, reorder=1%/1ms, dup=1%, seed=1;\n"
        "joined by commas, given once or for tx and rx",
        set_impair),
    row(0, "pcap", kPort, "<file>[:#]",
        "write the first # frames of data of each direction\n(default 1000) to a pcapng file",
        set_pcap),
    row(0, "user", kPort, "<name>",
        "be this user after the start, with no more\ncapabilities than the test takes", set_user),
    row(0, "dry-run", kPort, "print what DPDK would be told about the port, and check it",
        set_dry_run),

    row(0, "require", kAutomation, "<what>",
        "client: compare the results and exit with 2 if one\n"
        "falls short: tx>=90G, rx>=90G, pps>=1M, loss<=0.01%,\n"
        "retr<=10, jitter<=1ms; also > and <; joined by commas",
        set_require),
    row(0, "save", kAutomation, "<dir>",
        "write a file about each test: command line, versions,\n"
        "machine, port and the document of -J",
        set_save),
    row(0, "wait", kAutomation, "#",
        "client: go on trying for # seconds while the server\nis busy, refuses or cannot be "
        "reached",
        set_wait),

    never(0, "sctp", kClient, kNothing, kNoSctp),
    never('X', "xbind", kClient, kValue, kNoSctp),
    never(0, "nstreams", kClient, kValue, kNoSctp),
    never('m', "mptcp", kBoth, kNothing, kNoMptcp),
};

}  // namespace

std::span<const Option> option_table()
{
    return kTable;
}

}  // namespace dpdkperf::options
