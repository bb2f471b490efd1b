#include "dpdkperf/options/options.hpp"
#include "option.hpp"
#include "version.hpp"

#include <sys/utsname.h>

namespace dpdkperf::options {

namespace {

constexpr std::size_t kHelpColumn = 28;  // where iperf3's explanations begin
constexpr std::size_t kWidth = 80;

constexpr std::string_view kUsage =
    "Usage: dpdkperf [EAL options --] [-s|-c host] [options]\n"
    "       dpdkperf [-h|--help] [-v|--version]\n"
    "\n"
    "EAL options (see DPDK's documentation) stand before \"--\", iperf3's after it.\n"
    "Without a \"--\" all options are iperf3's, and port and cores are found by themselves:\n"
    "  dpdkperf -c 10.0.0.2 -u -b 0\n"
    "  dpdkperf -l 0-3 -- -c 10.0.0.2 -u -b 0\n"
    "A device that is named there belongs to DPDK; the kernel gets a twin of it:\n"
    "  dpdkperf -l 0-3 -a 5e:00.0 -- -c 10.0.0.2 -u -b 0 --ip 10.0.0.1/24\n";

// "  -t, --time      #         " and the help, its further lines below its first.
std::string entry(const Option& option)
{
    std::string text = "  ";
    if (option.flag != 0) {
        text += std::string{'-', option.flag} + ", ";
    }
    text += "--" + std::string{option.name};
    if (option.takes == Takes::kOptionalValue) {
        text += '[' + std::string{option.value_name} + ']';
    } else if (!option.value_name.empty()) {
        text += ' ' + std::string{option.value_name};
    }
    const std::string indent(kHelpColumn, ' ');
    text +=
        text.size() + 2 > kHelpColumn ? "\n" + indent : std::string(kHelpColumn - text.size(), ' ');
    for (const char c : option.help) {
        text += c;
        if (c == '\n') {
            text += indent;
        }
    }
    return text + '\n';
}

std::string group(std::string_view title, Side side)
{
    std::string text = std::string{title} + '\n';
    for (const Option& option : option_table()) {
        if (option.side == side && option.support == Support::kYes) {
            text += entry(option);
        }
    }
    return text;
}

// The names that we refuse, in lines of the usual width.
std::string refused()
{
    std::string text;
    std::string line = " ";
    for (const Option& option : option_table()) {
        if (option.support != Support::kNever) {
            continue;
        }
        const std::string name = " --" + std::string{option.name};
        if (line.size() + name.size() > kWidth) {
            text += line + '\n';
            line = " ";
        }
        line += name;
    }
    return text + line + '\n';
}

}  // namespace

std::string version()
{
    return "dpdkperf " DPDKPERF_VERSION;
}

std::string system_info()
{
    utsname name{};
    if (uname(&name) != 0) {
        return "unknown system";
    }
    return std::string{name.sysname} + ' ' + name.nodename + ' ' + name.release + ' ' +
           name.version + ' ' + name.machine;
}

std::string version_text()
{
    return version() + '\n' + system_info() + '\n';
}

std::string help_text()
{
    return std::string{kUsage} + '\n' + group("Server or Client:", Side::kBoth) +
           group("Server specific:", Side::kServer) + group("Client specific:", Side::kClient) +
           group("Port (not in iperf3):", Side::kPort) +
           group("Automation (not in iperf3):", Side::kAutomation) +
           "\n[KMG] indicates options that support a K/M/G suffix for kilo-, mega-, or giga-\n\n" +
           "Options of iperf3 that need the kernel's sockets, and are refused:\n" + refused();
}

}  // namespace dpdkperf::options
