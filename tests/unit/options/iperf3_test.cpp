// Debian's iperf3 3.12 beside our parser: both must take or refuse the same command lines.

#include "dpdkperf/options/options.hpp"
#include "option.hpp"
#include "shell.hpp"

#include <set>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dpdkperf::options {
namespace {

// A TCP port that is taken but not listening: a client's connect() is refused at once, and a
// server cannot listen.
class DeadPort {
public:
    DeadPort() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(socket_, generic, length), 0);
        EXPECT_EQ(getsockname(socket_, generic, &length), 0);
        number_ = ntohs(address.sin_port);
    }
    DeadPort(const DeadPort&) = delete;
    DeadPort& operator=(const DeadPort&) = delete;
    ~DeadPort() { close(socket_); }

    [[nodiscard]] std::string number() const { return std::to_string(number_); }

private:
    int socket_;
    std::uint16_t number_ = 0;
};

std::string output_of(const std::string& command)
{
    return shell(command).output;
}

bool have_iperf3()
{
    return output_of("iperf3 --version").starts_with("iperf 3.12");
}

std::vector<std::string> words(const std::string& line)
{
    std::vector<std::string> result;
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        result.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

bool we_accept(const std::string& line)
{
    const auto arguments = words(line);
    return parse(std::vector<std::string_view>{arguments.begin(), arguments.end()}).has_value();
}

// It got as far as the network, where the port stopped it.
bool iperf3_accepts(const std::string& line, const DeadPort& port)
{
    const std::string output = output_of("timeout 5 iperf3 -p " + port.number() + " " + line);
    return output.find("unable to connect to server") != std::string::npos ||
           output.find("unable to start listener") != std::string::npos;
}

TEST(OptionsBesideIperf3, TakeAndRefuseTheSame)
{
    if (!have_iperf3()) {
        GTEST_SKIP() << "no iperf3 3.12";
    }
    const DeadPort port;
    const char* const lines[] = {
        "-c 127.0.0.1",
        "-c127.0.0.1 -ut1",
        "-c 127.0.0.1 --ti=1",
        "-c 127.0.0.1 --re",
        "-c 127.0.0.1 --rev",
        "-c 127.0.0.1 --ba 1M",
        "-c 127.0.0.1 --b 1M",
        "",
        "-u",
        "-s",
        "-s -1",
        "-s -u",
        "-s -t 5",
        "-c 127.0.0.1 -1",
        "-s -c 127.0.0.1",
        "-c 127.0.0.1 -s",
        "-c",
        "-c 127.0.0.1 -t",
        "-c 127.0.0.1 -x",
        "-c 127.0.0.1 --tiem 1",
        "-c 127.0.0.1 --udp=1",
        "-s --cport 4000",
        "-s --udp-counters-64bit",
        "-s --repeating-payload",
        "-s -4",
        "-s -P 1",
        "-s -i 0.5",
        "-c 127.0.0.1 -t 0",
        "-c 127.0.0.1 -t 86400",
        "-c 127.0.0.1 -t 86401",
        "-c 127.0.0.1 -i 0",
        "-c 127.0.0.1 -i 0.1",
        "-c 127.0.0.1 -i 0.09",
        "-c 127.0.0.1 -i 60",
        "-c 127.0.0.1 -i 60.1",
        "-c 127.0.0.1 -P 128",
        "-c 127.0.0.1 -P 129",
        "-c 127.0.0.1 --cport 0",
        "-c 127.0.0.1 --cport 65535",
        "-c 127.0.0.1 --cport 65536",
        "-c 127.0.0.1 -u -l 15",
        "-c 127.0.0.1 -u -l 16",
        "-c 127.0.0.1 -l 15",
        "-c 127.0.0.1 -u -l 65507",
        "-c 127.0.0.1 -u -l 65508",
        "-c 127.0.0.1 -u -l 0",
        "-c 127.0.0.1 -l 1M",
        "-c 127.0.0.1 -l 1048577",
        "-c 127.0.0.1 -l 0.5K",
        "-c 127.0.0.1 -O 60",
        "-c 127.0.0.1 -O -1",
        "-c 127.0.0.1 -w 512M",
        "-c 127.0.0.1 -w 0.6G",
        "-c 127.0.0.1 -C cubic",
        "-c 127.0.0.1 --linux-congestion reno",
        "-c 127.0.0.1 -u -C reno",
        "-s -C cubic",
        "-c 127.0.0.1 -M 1",
        "-c 127.0.0.1 -M 9216",
        "-c 127.0.0.1 -M 9217",
        "-c 127.0.0.1 -u -M 1400",
        "-s -M 1400",
        "-c 127.0.0.1 -N",
        "-c 127.0.0.1 -u -N",
        "-s -N",
        "-c 127.0.0.1 --fq-rate 1.5G",
        "-c 127.0.0.1 --fq-rate 0",
        "-c 127.0.0.1 -u --fq-rate 1G",
        "-s --fq-rate 1G",
        "-c 127.0.0.1 -Z",
        "-c 127.0.0.1 -u -Z",
        "-s -Z",
        "-c 127.0.0.1 -L 5",
        "-c 127.0.0.1 -u -L 0xfffff",
        "-c 127.0.0.1 -L 010",
        "-c 127.0.0.1 -L 0",
        "-c 127.0.0.1 -L 0x100000",
        "-c 127.0.0.1 -L x",
        "-s -L 5",
        "-c 127.0.0.1 --pacing-timer 5",
        "-c 127.0.0.1 --pacing-timer 1K",
        "-c 127.0.0.1 --pacing-timer x",
        "-c 127.0.0.1 -F /nosuch",
        "-c 127.0.0.1 -R -F /nosuch",
        "-s -F /nosuch",
        "-c 127.0.0.1 -A 0",
        "-c 127.0.0.1 -A 0x0,1",
        "-c 127.0.0.1 -A 1025",
        "-c 127.0.0.1 -A -1",
        "-c 127.0.0.1 -A 0,1025",
        "-c 127.0.0.1 -A x",
        "-s -A 0",
        "-s -A 0,0",
        "-s --pacing-timer 5",
        "-c 127.0.0.1 --no-fq-socket-pacing",
        "-s --no-fq-socket-pacing",
        "-c 127.0.0.1 --dont-fragment",
        "-c 127.0.0.1 -u --dont-fragment",
        "-s --dont-fragment",
        "-c 127.0.0.1 -S 255",
        "-c 127.0.0.1 -S 256",
        "-c 127.0.0.1 -S 0377",
        "-c 127.0.0.1 -S 0x100",
        "-c 127.0.0.1 -S x",
        "-c 127.0.0.1 --dscp 63",
        "-c 127.0.0.1 --dscp 64",
        "-c 127.0.0.1 --dscp AF42",
        "-c 127.0.0.1 --dscp af44",
        "-c 127.0.0.1 --dscp cs7",
        "-c 127.0.0.1 --dscp cs8",
        "-c 127.0.0.1 --dscp ef",
        "-c 127.0.0.1 --dscp lowdelay",
        "-c 127.0.0.1 --dscp 12x",
        "-c 127.0.0.1 -b 1.5g",
        "-c 127.0.0.1 -b 1e6",
        "-c 127.0.0.1 -b 1M/1",
        "-c 127.0.0.1 -b 1M/0",
        "-c 127.0.0.1 -b 1M/1000",
        "-c 127.0.0.1 -b 1M/1001",
        "-c 127.0.0.1 -R --bidir",
        "-c 127.0.0.1 --bidir -R",
        "-c 127.0.0.1 --bidir",
        "-c 127.0.0.1 -t 1 -n 5",
        "-c 127.0.0.1 -t 1 -k 5",
        "-c 127.0.0.1 -k 1 -n 5",
        "-c 127.0.0.1 -t 1 -n 0",
        "-c 127.0.0.1 --rcv-timeout 500",
        "-c 127.0.0.1 --rcv-timeout 500 -R",
        "-c 127.0.0.1 --rcv-timeout 500 --bidir",
        "-c 127.0.0.1 --rcv-timeout 99 -R",
        "-s --rcv-timeout 100",
        "-s --rcv-timeout 86400000",
        "-s --rcv-timeout 86400001",
        "-c 127.0.0.1 --connect-timeout 200",
        "-s --snd-timeout 0",
        "-s --snd-timeout -1",
        "-c 127.0.0.1 --snd-timeout 86400000",
        "-c 127.0.0.1 --snd-timeout 86400001",
        "-s --idle-timeout 0",
        "-s --idle-timeout 86400",
        "-s --idle-timeout 86401",
        "-c 127.0.0.1 --idle-timeout 1",
        "-s --server-bitrate-limit 1M",
        "-s --server-bitrate-limit 1M/0.1",
        "-s --server-bitrate-limit 1M/60",
        "-s --server-bitrate-limit 1M/0",
        "-s --server-bitrate-limit 1M/0.05",
        "-s --server-bitrate-limit 1M/61",
        "-c 127.0.0.1 --server-bitrate-limit 1M",
        "-c 127.0.0.1 -D",
        "-c 127.0.0.1 --username mario",
        "-c 127.0.0.1 --rsa-public-key-path /nosuch",
        "-s --username mario",
        "-s --rsa-private-key-path /nosuch",
        "-s --authorized-users-path /nosuch",
        "-c 127.0.0.1 --rsa-private-key-path /nosuch",
        "-c 127.0.0.1 --time-skew-threshold 5",
        "-s --time-skew-threshold 5",
        "-s --time-skew-threshold 0",
        "-s --time-skew-threshold -1",
        "-c 127.0.0.1%lo",
        "-c 127.0.0.1 -4",
        "-c 127.0.0.1 -J",
        "-c 127.0.0.1 -V",
        "-c 127.0.0.1 --forceflush",
        "-c 127.0.0.1 -f k",
        "-c 127.0.0.1 -f T",
        "-c 127.0.0.1 -f MBytes",
        "-c 127.0.0.1 -f xM",
        "-c 127.0.0.1 -f a",
        "-c 127.0.0.1 -f",
        "-s -f g",
        "-c 127.0.0.1 -T title",
        "-s -T title",
        "-c 127.0.0.1 --extra-data data",
        "-s --extra-data data",
        "-c 127.0.0.1 --timestamps",
        "-s --timestamps=%F",
        "-c 127.0.0.1 -d",
        "-c 127.0.0.1 -d=3",
        "-s --debug=3",
    };
    for (const char* line : lines) {
        EXPECT_EQ(we_accept(line), iperf3_accepts(line, port)) << line;
    }
}

// Where we differ on purpose. If one of these rows changes sides, the reason has gone.
TEST(OptionsBesideIperf3, DifferOnlyWhereWeMeanTo)
{
    if (!have_iperf3()) {
        GTEST_SKIP() << "no iperf3 3.12";
    }
    const DeadPort port;
    struct Case {
        const char* line;
        bool ours;
        const char* why;
    };
    const Case cases[] = {
        {"-c 127.0.0.1 -t ten", false, "atoi makes it 0, which means for ever"},
        {"-c 127.0.0.1 -t 5m", false, "atoi makes it 5 seconds"},
        {"-c 127.0.0.1 -t -1", false, "a negative time means nothing"},
        {"-c 127.0.0.1 -P 0", false, "no stream, no test"},
        {"-c 127.0.0.1 -b fast", false, "read as 0, which means unlimited"},
        {"-c 127.0.0.1 -b -5", false, "a negative rate means nothing"},
        {"-c 127.0.0.1 rubbish", false, "an argument of no option is ignored"},
        {"-c 127.0.0.1 -O 600", true, "60 is the limit up to 3.17, 600 since"},
        {"-c 127.0.0.1 --dscp va", true, "known since 3.14"},
        {"-c 127.0.0.1 --skip-rx-copy", true, "known since 3.19"},
        {"-c 127.0.0.1 -u --gsro", true, "known since 3.21"},
        {"-c 127.0.0.1 -A 0,", false, "atoi makes it 0"},
        {"-c 127.0.0.1 -M 0", false, "taken for no wish at all"},
        {"-c 127.0.0.1 -M -5", false, "refused by the kernel once connected"},
        {"-c 127.0.0.1 -C nosuch", false, "refused by the kernel once connected"},
        {"-c 127.0.0.1 --debug=5", false, "there are four levels"},
        {"-c 127.0.0.1 --sctp", false, "a protocol of the kernel"},
        {"-c 127.0.0.1 --nstreams 5", false, "for SCTP only"},
        {"-c 127.0.0.1 -X 127.0.0.1", false, "for SCTP only"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(we_accept(c.line), c.ours) << c.line << ": " << c.why;
        EXPECT_NE(iperf3_accepts(c.line, port), c.ours) << c.line << ": " << c.why;
    }
}

// "  -t, --time      #         …" gives "-t" and "--time".
std::vector<std::string> option_names(const std::string& help)
{
    std::vector<std::string> names;
    for (std::size_t at = 0; at < help.size();) {
        const std::size_t end = std::min(help.find('\n', at), help.size());
        const std::string line = help.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with("  -")) {
            continue;
        }
        for (std::size_t dash = 2; line[dash] == '-';) {
            const std::size_t stop = std::min(line.find_first_of(" ,<[", dash), line.size());
            names.push_back(line.substr(dash, stop - dash));
            dash = line.compare(stop, 2, ", ") == 0 ? stop + 2 : 0;
        }
    }
    return names;
}

TEST(OptionsBesideIperf3, NoOptionOfItsHelpIsUnknownToUs)
{
    if (!have_iperf3()) {
        GTEST_SKIP() << "no iperf3 3.12";
    }
    const auto names = option_names(output_of("iperf3 --help"));
    EXPECT_GT(names.size(), 80U);
    for (const std::string& name : names) {
        const auto plan = parse(std::vector<std::string_view>{name});
        const std::string message = plan ? "" : plan.error().message;
        EXPECT_EQ(message.find("invalid"), std::string::npos) << name << ": " << message;
        EXPECT_EQ(message.find("unrecognized"), std::string::npos) << name << ": " << message;
    }
}

// Names of iperf 3.13 to 3.21; they make some abbreviations ambiguous that 3.12 still takes.
const std::set<std::string> kNewer = {"--json-stream", "--json-stream-full-output", "--cntl-ka",
    "--mptcp", "--server-max-duration", "--use-pkcs1-padding", "--skip-rx-copy", "--gsro"};

TEST(OptionsBesideIperf3, ThoseItDoesNotKnowAreOursAndSaySo)
{
    if (!have_iperf3()) {
        GTEST_SKIP() << "no iperf3 3.12";
    }
    for (const Option& option : option_table()) {
        const std::string name = dashed(option.name);
        const std::string output = output_of("iperf3 " + name + " 1 --nonsense");
        const bool known = output.find("unrecognized option '" + name) == std::string::npos &&
                           name != "--user";  // taken for --username
        EXPECT_EQ(is_ours(option), !known && !kNewer.contains(name)) << name << ": " << output;
        EXPECT_EQ(option.help.ends_with("(not in iperf3)"), option.ours) << name;
    }
}

// What an ambiguous option may stand for, according to the message; nothing if there is none.
std::set<std::string> possibilities(const std::string& output)
{
    const std::string mark = "is ambiguous; possibilities:";
    const auto begin = output.find(mark);
    std::set<std::string> names;
    if (begin != std::string::npos) {
        const auto end = std::min(output.find('\n', begin), output.size());
        for (std::string word : words(output.substr(begin, end - begin))) {
            if (word.starts_with("'--")) {
                names.insert(word.substr(1, word.size() - 2));
            }
        }
    }
    return names;
}

TEST(OptionsBesideIperf3, EveryAbbreviationMeansTheSame)
{
    if (!have_iperf3()) {
        GTEST_SKIP() << "no iperf3 3.12";
    }
    std::set<std::string> abbreviations;
    for (const std::string& name : option_names(output_of("iperf3 --help"))) {
        for (std::size_t size = 3; name.starts_with("--") && size < name.size(); ++size) {
            abbreviations.insert(name.substr(0, size));
        }
    }
    EXPECT_GT(abbreviations.size(), 250U);
    for (const std::string& abbreviation : abbreviations) {
        // Whatever the first means, the last ends the program before it begins.
        const auto plan = parse(std::vector<std::string_view>{abbreviation, "1", "--nonsense"});
        ASSERT_FALSE(plan && plan->role != Role::kHelp && plan->role != Role::kVersion);
        auto ours = possibilities(plan ? "" : plan.error().message);
        std::erase_if(ours, [](const std::string& name) { return kNewer.contains(name); });
        if (ours.size() == 1) {
            ours.clear();
        }
        const auto theirs = possibilities(output_of("iperf3 " + abbreviation + " 1 --nonsense"));
        EXPECT_EQ(ours, theirs) << abbreviation;
    }
}

}  // namespace
}  // namespace dpdkperf::options
