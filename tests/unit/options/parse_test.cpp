#include "dpdkperf/options/options.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace dpdkperf::options {
namespace {

using Arguments = std::vector<std::string_view>;

Plan parsed(const Arguments& arguments)
{
    const auto plan = parse(arguments);
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
    return plan ? *plan : Plan{};
}

TEST(Options, SpellingsOfOneOptionMeanTheSame)
{
    const Arguments spellings[] = {{"-c", "h", "-t", "7"}, {"-ch", "-t7"},
        {"--client", "h", "--time", "7"}, {"--client=h", "--time=7"}, {"--cl", "h", "-t7"},
        {"--time", "7", "--cli=h"}};
    for (const Arguments& arguments : spellings) {
        SCOPED_TRACE(arguments.back());
        const Plan plan = parsed(arguments);
        EXPECT_EQ(plan.role, Role::kClient);
        EXPECT_EQ(plan.host, "h");
        EXPECT_EQ(plan.duration, std::chrono::seconds{7});
    }
}

TEST(Options, SwitchesCanBeGroupedAndTheLastMayTakeAValue)
{
    const Plan plan = parsed({"-uRVc", "host", "-4JP8"});
    EXPECT_EQ(plan.protocol, Protocol::kUdp);
    EXPECT_TRUE(plan.reverse && plan.verbose && plan.json);
    EXPECT_EQ(plan.host, "host");
    EXPECT_EQ(plan.family, Family::kIpv4);
    EXPECT_EQ(plan.parallel, 8U);
}

TEST(Options, EverythingReachesItsPlaceInThePlan)
{
    const Plan plan = parsed({"-c", "h", "-u", "-p", "5999", "-i", "0.5", "-B", "10.0.0.1%eth1",
        "--rcv-timeout", "500", "-R", "--forceflush", "-b", "2.5G/32", "-l", "1k", "-k", "3K",
        "--cport", "7000", "-w", "1M", "-S", "0x34", "-O", "3", "--udp-counters-64bit",
        "--repeating-payload", "--connect-timeout", "250", "-6", "-C", "reno", "-M", "1400", "-N",
        "--fq-rate", "1.5G", "-Z", "-f", "G", "-T", "a title", "--extra-data", "data", "--logfile",
        "log", "--timestamps=%T ", "--debug=2", "-L", "0xabcde", "--pacing-timer", "2K",
        "--skip-rx-copy", "--gsro", "--dont-fragment", "-A", "0x3,5"});
    EXPECT_EQ(plan.rate_unit, RateUnit::kGbytes);
    EXPECT_EQ(plan.title, "a title");
    EXPECT_EQ(plan.extra_data, "data");
    EXPECT_EQ(plan.log_file, "log");
    EXPECT_EQ(plan.timestamp_format, "%T ");
    EXPECT_EQ(plan.debug_level, 2);
    EXPECT_EQ(plan.port, 5999);
    EXPECT_EQ(plan.interval, std::chrono::milliseconds{500});
    EXPECT_EQ(plan.bind_address, "10.0.0.1");
    EXPECT_EQ(plan.bind_device, "eth1");
    EXPECT_EQ(plan.rcv_timeout, std::chrono::milliseconds{500});
    EXPECT_TRUE(plan.force_flush);
    EXPECT_EQ(plan.rate, BitRate::from_bps(2'500'000'000));
    EXPECT_EQ(plan.burst, 32U);
    EXPECT_EQ(plan.block_bytes, 1024U);
    EXPECT_EQ(plan.blocks, 3072U);
    EXPECT_EQ(plan.client_port, 7000);
    EXPECT_EQ(plan.window_bytes, 1U << 20);
    EXPECT_EQ(plan.tos, 0x34);
    EXPECT_EQ(plan.omit, std::chrono::seconds{3});
    EXPECT_TRUE(plan.counters_64bit);
    EXPECT_TRUE(plan.repeating_payload);
    EXPECT_EQ(plan.connect_timeout, std::chrono::milliseconds{250});
    EXPECT_EQ(plan.family, Family::kIpv6);
    EXPECT_EQ(plan.congestion, "reno");
    EXPECT_EQ(plan.mss_bytes, 1400U);
    EXPECT_TRUE(plan.no_delay);
    EXPECT_EQ(plan.fq_rate, BitRate::from_bps(1'500'000'000));
    EXPECT_TRUE(plan.zerocopy);
    EXPECT_EQ(plan.flow_label, 0xabcdeU);
    EXPECT_EQ(plan.pacing_timer, std::chrono::microseconds{2048});
    EXPECT_TRUE(plan.skip_rx_copy && plan.gsro && plan.dont_fragment);
    EXPECT_EQ(plan.cpu, 3U);
    EXPECT_EQ(plan.server_cpu, 5U);
    EXPECT_TRUE(plan.warnings.empty());
}

TEST(Options, AFileIsTheEndWhereNothingElseIs)
{
    const Plan plan = parsed({"-c", "h", "-F", "f"});
    EXPECT_EQ(plan.file, "f");
    EXPECT_TRUE(plan.ends_with_file);
    EXPECT_EQ(plan.duration, std::chrono::seconds{10});  // where there is no file
    EXPECT_TRUE(parsed({"-c", "h", "-R", "-F", "f"}).ends_with_file);
    EXPECT_FALSE(parsed({"-c", "h"}).ends_with_file);
    EXPECT_FALSE(parsed({"-c", "h", "-F", "f", "-t", "3"}).ends_with_file);
    EXPECT_FALSE(parsed({"-c", "h", "-F", "f", "-n", "3"}).ends_with_file);
    EXPECT_FALSE(parsed({"-c", "h", "-F", "f", "-k", "3"}).ends_with_file);
}

TEST(Options, AUnitIsKnownByItsFirstLetter)
{
    EXPECT_EQ(parsed({"-s", "-f", "m"}).rate_unit, RateUnit::kMbits);
    EXPECT_EQ(parsed({"-s", "-f", "Mbits"}).rate_unit, RateUnit::kMbytes);
    EXPECT_FALSE(parse(Arguments{"-s", "--format="}));
}

TEST(Options, APacingTimerThatIsNoNumberIsNone)
{
    EXPECT_EQ(parsed({"-c", "h", "--pacing-timer", "x"}).pacing_timer.count(), 0);
}

TEST(Options, SocketPacingIsTurnedOffByTheLastWordOnIt)
{
    const Plan off = parsed({"-c", "h", "--fq-rate", "1G", "--no-fq-socket-pacing"});
    EXPECT_EQ(off.fq_rate, BitRate{});
    EXPECT_EQ(off.warnings, (std::vector<std::string>{"--no-fq-socket-pacing is deprecated"}));
    const Plan on = parsed({"-c", "h", "--no-fq-socket-pacing", "--fq-rate", "1G"});
    EXPECT_EQ(on.fq_rate, BitRate::from_gbps(1));
}

TEST(Options, AStreamOfJsonIsJson)
{
    const Plan plan = parsed({"-s", "--json-stream"});
    EXPECT_TRUE(plan.json);
    EXPECT_TRUE(plan.json_stream);
    EXPECT_FALSE(plan.json_stream_full);
    EXPECT_TRUE(parsed({"-c", "h", "--json-stream", "--json-stream-full"}).json_stream_full);
    EXPECT_FALSE(parsed({"-s", "-J"}).json_stream);
}

TEST(Options, WithoutAValueTheUsualOneIsTaken)
{
    const Plan plan = parsed({"-s", "--timestamps", "-d"});
    EXPECT_EQ(plan.timestamp_format, "%c ");
    EXPECT_EQ(plan.debug_level, 4);
}

TEST(Options, ServerPlanIsReadToo)
{
    const Plan plan = parsed({"-s1", "--bind-dev=eth0", "-i", "0"});
    EXPECT_EQ(plan.role, Role::kServer);
    EXPECT_TRUE(plan.one_off);
    EXPECT_EQ(plan.bind_device, "eth0");
    EXPECT_EQ(plan.interval.count(), 0);
}

TEST(Options, ServerLifeIsRead)
{
    const Plan plan = parsed(
        {"-s", "-D", "-I", "/run/x.pid", "--idle-timeout", "7", "--server-max-duration", "60",
            "--server-bitrate-limit", "1.5G/0.5", "--snd-timeout", "2500", "--cntl-ka=60/10/5"});
    EXPECT_TRUE(plan.daemon);
    EXPECT_EQ(plan.pid_file, "/run/x.pid");
    EXPECT_EQ(plan.idle_timeout, std::chrono::seconds{7});
    EXPECT_EQ(plan.max_duration, std::chrono::seconds{60});
    EXPECT_EQ(plan.max_total_rate.bps(), 1'500'000'000U);
    EXPECT_EQ(plan.rate_window, std::chrono::milliseconds{500});
    EXPECT_EQ(plan.snd_timeout, std::chrono::milliseconds{2500});
    const Keepalive keepalive{std::chrono::seconds{60}, std::chrono::seconds{10}, 5};
    EXPECT_EQ(plan.control_keepalive, keepalive);

    const Plan plain = parsed({"-s", "--server-max-duration", "0", "--server-bitrate-limit", "0"});
    EXPECT_FALSE(plain.max_duration);
    EXPECT_EQ(plain.max_total_rate.bps(), 0U);
    EXPECT_EQ(plain.rate_window, std::chrono::seconds{5});
}

TEST(Options, SeveralTestsAtATimeAreAServersAndNotForOneOnly)
{
    EXPECT_EQ(parsed({"-s"}).concurrent, 1U);
    EXPECT_EQ(parsed({"-s", "--concurrent", "16"}).concurrent, 16U);
    EXPECT_EQ(parsed({"-s", "-1", "--concurrent", "1"}).concurrent, 1U);
    const std::pair<std::vector<std::string_view>, std::string> cases[] = {
        {{"-s", "--concurrent", "17"},
            "--concurrent '17': number of tests at the same time must be from 1 to 16"},
        {{"-s", "--concurrent", "0"},
            "--concurrent '0': number of tests at the same time must be from 1 to 16"},
        {{"-s", "--concurrent", "4", "-1"},
            "--concurrent '4': with -1 the server ends after one test"},
        {{"-c", "h", "--concurrent", "2"},
            "--concurrent: some option you are trying to set is server only"},
    };
    for (const auto& [arguments, message] : cases) {
        const auto plan = parse(arguments);
        ASSERT_FALSE(plan) << message;
        EXPECT_EQ(plan.error().message, message);
    }
}

TEST(Options, PartsOfTheKeepaliveMayBeLeftOut)
{
    const Keepalive usual;
    EXPECT_EQ(parsed({"-s", "--cntl-ka"}).control_keepalive, usual);
    EXPECT_EQ(parsed({"-s", "--cntl-ka=0/0/0"}).control_keepalive, usual);
    EXPECT_EQ(parsed({"-s", "--cntl-ka=60"}).control_keepalive,
        (Keepalive{std::chrono::seconds{60}, usual.interval, usual.count}));
    EXPECT_EQ(parsed({"-s", "--cntl-ka=//2"}).control_keepalive,
        (Keepalive{usual.idle, usual.interval, 2}));
}

TEST(Options, AuthenticationIsReadOnBothSides)
{
    const Plan client = parsed(
        {"-c", "h", "--username", "mario", "--rsa-public-key-path=k.pem", "--use-pkcs1-padding"});
    EXPECT_EQ(client.username, "mario");
    EXPECT_EQ(client.rsa_public_key_path, "k.pem");
    EXPECT_TRUE(client.pkcs1_padding);

    const Plan server = parsed({"-s", "--rsa-private-key-path", "k.pem",
        "--authorized-users-path=users", "--time-skew-threshold", "3"});
    EXPECT_EQ(server.rsa_private_key_path, "k.pem");
    EXPECT_EQ(server.authorized_users_path, "users");
    EXPECT_EQ(server.max_time_skew, std::chrono::seconds{3});
    EXPECT_FALSE(server.pkcs1_padding);
    EXPECT_EQ(parsed({"-s"}).max_time_skew, std::chrono::seconds{10});
}

TEST(Options, EalArgumentsStandBeforeTheDashes)
{
    const Plan plan = parsed({"-l", "0-1", "--no-pci", "--", "-c", "h", "-l", "64", "-u"});
    EXPECT_EQ(plan.eal_arguments, (std::vector<std::string>{"-l", "0-1", "--no-pci"}));
    EXPECT_EQ(plan.block_bytes, 64U);

    EXPECT_TRUE(parsed({"--", "-s"}).eal_arguments.empty());
    EXPECT_TRUE(parsed({"-c", "h", "-l", "64"}).eal_arguments.empty());
}

TEST(Options, HelpAndVersionTakeEffectAtOnce)
{
    EXPECT_EQ(parsed({"-h", "--nonsense"}).role, Role::kHelp);
    EXPECT_EQ(parsed({"-s", "-uv", "-x"}).role, Role::kVersion);
}

TEST(Options, DeviceOfAHostIsSplitOff)
{
    struct Case {
        std::string_view argument, host;
        std::optional<std::string> device;
    };
    const Case cases[] = {
        {"10.0.0.2%eth0", "10.0.0.2", "eth0"},
        {"name%eth0", "name", "eth0"},
        {"2001:db8::1%eth0", "2001:db8::1", "eth0"},
        {"fe80::1%eth0", "fe80::1", "eth0"},
        {"name", "name", std::nullopt},
        {"name%", "name%", std::nullopt},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.argument);
        const Plan plan = parsed({"-c", c.argument});
        EXPECT_EQ(plan.host, c.host);
        EXPECT_EQ(plan.bind_device, c.device);
    }
}

TEST(Options, DefaultsOfAClientAreIperf3s)
{
    const Plan tcp = parsed({"-c", "h"});
    EXPECT_EQ(tcp.port, 5201);
    EXPECT_EQ(tcp.interval, std::chrono::seconds{1});
    EXPECT_EQ(tcp.duration, std::chrono::seconds{10});
    EXPECT_EQ(tcp.rate, BitRate{});
    EXPECT_FALSE(tcp.parallel);
    EXPECT_FALSE(tcp.block_bytes);
    EXPECT_EQ(tcp.congestion, "");
    EXPECT_EQ(tcp.mss_bytes, 0U);
    EXPECT_EQ(tcp.fq_rate, BitRate{});
    EXPECT_FALSE(tcp.no_delay || tcp.zerocopy);

    EXPECT_EQ(parsed({"-c", "h", "-u"}).rate, BitRate::from_bps(1'048'576));
    EXPECT_EQ(parsed({"-c", "h", "-n", "1M"}).duration, std::chrono::seconds{0});
    EXPECT_EQ(parsed({"-c", "h", "-k", "5"}).duration, std::chrono::seconds{0});
}

TEST(Options, SuffixesCountInThousandsForRatesAndIn1024ForSizes)
{
    struct Case {
        std::string_view text;
        std::uint64_t rate, size;
    };
    const Case cases[] = {{"17", 17, 17}, {"1k", 1'000, 1'024}, {"1K", 1'000, 1'024},
        {"1.5m", 1'500'000, 1'572'864}, {"2G", 2'000'000'000, 2'147'483'648},
        {"1t", 1'000'000'000'000, 1'099'511'627'776}, {"0.0001k", 0, 0},
        {"100G", 100'000'000'000, 107'374'182'400}, {"1e9", 1'000'000'000, 1'000'000'000}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const Plan plan = parsed({"-c", "h", "-b", c.text, "-n", c.text});
        EXPECT_EQ(plan.rate, BitRate::from_bps(c.rate));
        EXPECT_EQ(plan.bytes, c.size);
    }
}

// 2^31 packets of 1448 bytes take 10 s at 2.49 Tbit/s, of 64 bytes at 110 Gbit/s.
TEST(Options, CountersAre64BitWhere32CouldOverflow)
{
    struct Case {
        Arguments more;
        bool wide;
    };
    const Case cases[] = {
        {{"-u"}, false}, {{"-u", "-b", "100G"}, false}, {{"-u", "-b", "100G", "-t", "600"}, true},
        {{"-u", "-b", "109G", "-l", "64"}, false}, {{"-u", "-b", "110G", "-l", "64"}, true},
        {{"-u", "-b", "100G", "-l", "64", "-O", "1"}, true}, {{"-u", "-b", "0"}, true},
        {{"-u", "-t", "0"}, true}, {{"-u", "-b", "0", "-k", "1000"}, false},
        {{"-u", "-b", "0", "-n", "1G"}, false}, {{"-u", "-b", "0", "-n", "4T"}, true},
        {{"-b", "0"}, false},  // TCP has no counters
    };
    for (const Case& c : cases) {
        Arguments arguments{"-c", "h"};
        arguments.insert(arguments.end(), c.more.begin(), c.more.end());
        EXPECT_EQ(parsed(arguments).counters_64bit, c.wide) << testing::PrintToString(arguments);
    }
}

TEST(Options, DscpHasNumbersAndNames)
{
    struct Case {
        std::string_view text;
        int tos;
    };
    for (const Case& c : {Case{"0", 0}, {"63", 252}, {"0x2e", 184}, {"056", 184}, {"ef", 184},
             {"EF", 184}, {"af11", 40}, {"af43", 152}, {"cs7", 224}, {"va", 176}, {"lowdelay", 16},
             {"throughput", 8}, {"reliability", 4}}) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(parsed({"-c", "h", "--dscp", c.text}).tos, c.tos);
    }
}

TEST(Options, RejectionNamesTheOptionAndTheValue)
{
    struct Case {
        Arguments arguments;
        std::string_view message;
    };
    const Case cases[] = {
        {{}, "must either be a client (-c) or server (-s)"},
        {{"-c", "h", "-t", "ten"}, "--time 'ten': not a number"},
        {{"-c", "h", "-t", "10s"}, "--time '10s': not a number"},
        {{"-c", "h", "-t", ""}, "--time '': not a number"},
        {{"-c", "h", "-t", "86401"},
            "--time '86401': test duration too long (maximum = 86400 seconds)"},
        {{"-c", "h", "-t"}, "option requires an argument -- 't'"},
        {{"-c", "h", "--paral"}, "option '--parallel' requires an argument"},
        {{"-c", "h", "--tiem", "1"}, "unrecognized option '--tiem'"},
        {{"-c", "h", "--tiem=1"}, "unrecognized option '--tiem=1'"},
        {{"-c", "h", "-ux"}, "invalid option -- 'x'"},
        {{"-c", "h", "--udp=1"}, "option '--udp' doesn't allow an argument"},
        {{"-c", "h", "--re"},
            "option '--re' is ambiguous; possibilities: '--reverse' '--repeating-payload'"},
        {{"-c", "h", "--re=5"},
            "option '--re=5' is ambiguous; possibilities: '--reverse' '--repeating-payload'"},
        {{"-c", "h", "extra"}, "unexpected argument 'extra'"},
        {{"-c", "h", "-p", "0"}, "--port '0': port number must be between 1 and 65535 inclusive"},
        {{"-c", "h", "-i", "0.05"},
            "--interval '0.05': invalid report interval (min = 0.1, max = 60 seconds)"},
        {{"-c", "h", "-P", "129"},
            "--parallel '129': number of parallel streams too large (maximum = 128)"},
        {{"-c", "h", "-b", "1M/1001"}, "--bitrate '1M/1001': invalid burst count (maximum = 1000)"},
        {{"-c", "h", "--bandwidth", "-5"}, "--bitrate '-5': must not be negative"},
        {{"-c", "h", "-n", "99999999T"}, "--bytes '99999999T': too large"},
        {{"-c", "h", "-u", "-l", "15"},
            "--length '15': block size invalid (minimum = 16 bytes, maximum = 65507 bytes)"},
        {{"-c", "h", "-l", "2M"},
            "--length '2097152': block size too large (maximum = 1048576 bytes)"},
        {{"-c", "h", "-w", "513M"},
            "--window '513M': socket buffer size too large (maximum = 536870912 bytes)"},
        {{"-c", "h", "-S", "256"},
            "--tos '256': bad TOS value (must be between 0 and 255 inclusive)"},
        {{"-c", "h", "-t", "1", "-n", "5"},
            "only one test end condition (-t, -n, -k) may be specified"},
        {{"-c", "h", "-R", "--bidir"},
            "--reverse, --bidir: cannot be both reverse and bidirectional"},
        {{"-c", "h", "--rcv-timeout", "500"},
            "--rcv-timeout '500': client receive timeout is valid only in receiving mode"},
        {{"-s", "-c", "h"}, "--client 'h': cannot be both server and client"},
        {{"-s", "-u"}, "--udp: some option you are trying to set is client only"},
        {{"-c", "h", "-1"}, "--one-off: some option you are trying to set is server only"},
        {{"-c", "h", "-M", "9217"}, "--set-mss '9217': TCP MSS too large (maximum = 9216 bytes)"},
        {{"-c", "h", "-M", "0"}, "--set-mss '0': TCP MSS too large (maximum = 9216 bytes)"},
        {{"-c", "h", "-M", "1k"}, "--set-mss '1k': not a number"},
        {{"-c", "h", "--fq-rate", "fast"}, "--fq-rate 'fast': not a number"},
        {{"-c", "h", "-C", "bbr"},
            "--congestion 'bbr': unable to set TCP_CONGESTION: Supplied congestion control "
            "algorithm not supported on this host"},
        {{"-c", "h", "--linux-congestion=Cubic"},
            "--congestion 'Cubic': unable to set TCP_CONGESTION: Supplied congestion control "
            "algorithm not supported on this host"},
        {{"-s", "-N"}, "--no-delay: some option you are trying to set is client only"},
        {{"-c", ""}, "--client '': no host is named"},
        {{"-s", "--cntl-ka=20/5/4"},
            "--cntl-ka '20/5/4': control connection Keepalive period should be larger than the "
            "full retry period (interval * count)"},
        {{"-s", "--cntl-ka=1/2/3/4"}, "--cntl-ka '1/2/3/4': more than idle/interval/count"},
        {{"-s", "--cntl-ka=1/x"}, "--cntl-ka '1/x': not a number"},
        {{"-s", "--server-bitrate-limit", "1M/61"},
            "--server-bitrate-limit '1M/61': averaging interval must be from 0.1 to 60 seconds"},
        {{"-c", "h", "-D"}, "--daemon: some option you are trying to set is server only"},
        {{"-c", "h", "--username", "mario"},
            "you must specify a username, password, and path to a valid RSA public key"},
        {{"-c", "h", "--rsa-public-key-path", "k"},
            "you must specify a username, password, and path to a valid RSA public key"},
        {{"-s", "--rsa-private-key-path", "k"},
            "you must specify a path to a valid RSA private key and a user credential file"},
        {{"-s", "--authorized-users-path", "u"},
            "you must specify a path to a valid RSA private key and a user credential file"},
        {{"-s", "--time-skew-threshold", "0"},
            "--time-skew-threshold '0': skew threshold must be a positive number"},
        {{"-s", "--username", "x"}, "--username: some option you are trying to set is client only"},
        {{"-c", "h", "--authorized-users-path", "u"},
            "--authorized-users-path: some option you are trying to set is server only"},
        {{"-c", "h", "-L", "0"},
            "--flowlabel '0': unable to set IPv6 flow label (must be from 1 to 0xfffff)"},
        {{"-c", "h", "-L", "0x100000"},
            "--flowlabel '0x100000': unable to set IPv6 flow label (must be from 1 to 0xfffff)"},
        {{"-c", "h", "--pacing-timer", "1T"}, "--pacing-timer '1T': too large"},
        {{"-c", "h", "-u", "-F", "f"}, "--file 'f': cannot transfer file using UDP"},
        {{"-c", "h", "--bidir", "-F", "f"},
            "--file 'f': with --bidir it would be overwritten while it is sent"},
        {{"-c", "h", "-A", "1025"},
            "--affinity '1025': unable to set CPU affinity (must be from 0 to 1024)"},
        {{"-c", "h", "-A", "0,-1"},
            "--affinity '0,-1': unable to set CPU affinity (must be from 0 to 1024)"},
        {{"-c", "h", "-A", "0,"}, "--affinity '0,': not a number"},
        {{"-s", "-A", "0,1"}, "--affinity: some option you are trying to set is client only"},
        {{"-s", "--gsro"}, "--gsro: some option you are trying to set is client only"},
        {{"-c", "h", "--json-stream-full-output"},
            "--json-stream-full-output: needs --json-stream"},
        {{"-s", "-f", "b"},
            "--format 'b': bad format specifier (valid formats are in the set [kmgtKMGT])"},
        {{"-c", "h", "--debug=5"}, "--debug '5': debug level must be from 0 to 4"},
        {{"-c", "h", "-d=3"}, "invalid option -- '='"},
        {{"-s", "-T", "x"}, "--title: some option you are trying to set is client only"},
        {{"-s", "--extra-data", "x"},
            "--extra-data: some option you are trying to set is client only"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        const auto plan = parse(c.arguments);
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, Errc::kUsage);
        EXPECT_EQ(plan.error().message, c.message);
    }
}

TEST(Options, WhatNeedsTheKernelsSocketsIsRefusedWithTheReason)
{
    const std::string sctp = " is not supported: SCTP is the kernel's; the engine that takes its "
                             "place here speaks UDP and TCP";
    const std::string mptcp = "--mptcp (-m) is not supported: MPTCP joins paths of the kernel's "
                              "sockets; data passes by none of them here";
    const std::pair<Arguments, std::string> cases[] = {
        {{"--sctp"}, "--sctp" + sctp},
        {{"--nstreams", "5"}, "--nstreams" + sctp},
        {{"-X", "10.0.0.1"}, "--xbind (-X)" + sctp},
        {{"-um"}, mptcp},
        {{"--mp"}, mptcp},
    };
    for (const auto& [more, message] : cases) {
        Arguments arguments{"-c", "h"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto plan = parse(arguments);
        ASSERT_FALSE(plan) << message;
        EXPECT_EQ(plan.error().message, message);
    }
}

TEST(Options, HelpShowsWhatIsOfferedAndNamesTheRest)
{
    const std::string help = help_text();
    for (const std::string_view part :
        {"[EAL options --]", "  -c, --client <host>[%<dev>]", "  -b, --bitrate #[KMGT][/#]",
            "Server specific:", "  -C, --congestion cubic|reno", "--sctp"}) {
        EXPECT_NE(help.find(part), std::string::npos) << part;
    }
    EXPECT_LT(help.find("--zerocopy"), help.find("kernel's sockets"));
    EXPECT_GT(help.find("--sctp"), help.find("kernel's sockets"));
    for (std::size_t at = 0; at < help.size();) {
        const std::size_t end = help.find('\n', at);
        EXPECT_LE(end - at, 90U) << help.substr(at, end - at);
        at = end + 1;
    }
}

}  // namespace
}  // namespace dpdkperf::options
