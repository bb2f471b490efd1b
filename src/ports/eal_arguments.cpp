#include "dpdkperf/ports/eal.hpp"

#include <algorithm>
#include <string_view>

namespace dpdkperf::ports {

std::vector<std::string> eal_arguments(const EalDefaults& defaults)
{
    std::vector<std::string> arguments{"dpdkperf", "-l", std::to_string(defaults.cpu), "-m",
        std::to_string(defaults.memory_mb), "--no-pci", "--no-telemetry", "--iova-mode=va",
        "--file-prefix=" + defaults.file_prefix, "--log-level=error"};
    if (defaults.hugepages) {
        arguments.emplace_back("--in-memory");
    } else {
        arguments.emplace_back("--no-huge");
        arguments.emplace_back("--no-shconf");
    }
    return arguments;
}

std::vector<std::string> eal_arguments(
    const std::vector<std::string>& user, const std::string& file_prefix)
{
    const auto given = [&user](std::string_view option) {
        return std::any_of(user.begin(), user.end(),
            [option](const std::string& a) { return a.starts_with(option); });
    };
    std::vector<std::string> arguments{"dpdkperf"};
    arguments.insert(arguments.end(), user.begin(), user.end());
    if (!given("--iova-mode")) {
        arguments.emplace_back("--iova-mode=va");
    }
    if (!given("--telemetry") && !given("--no-telemetry")) {
        arguments.emplace_back("--no-telemetry");
    }
    if (!given("--file-prefix")) {
        arguments.push_back("--file-prefix=" + file_prefix);
    }
    if (!given("--log-level")) {
        arguments.emplace_back("--log-level=error");
    }
    if (!given("-a") && !given("--allow") && !given("-b") && !given("--block") &&
        !given("--no-pci")) {
        arguments.emplace_back("--no-pci");
    }
    return arguments;
}

}  // namespace dpdkperf::ports
