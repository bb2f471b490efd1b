// What a test sends, and when it ends.

#include "dpdkperf/traffic/traffic.hpp"
#include "setters.hpp"
#include "values.hpp"

#include <chrono>
#include <string>

namespace dpdkperf::options {

namespace {

// iperf 3.12, src/iperf.h.
constexpr std::int64_t kMaxSeconds = 86'400;
constexpr std::int64_t kMaxBurst = 1'000;
// 60 up to 3.17, 600 since.
constexpr std::int64_t kMaxOmit = 600;

}  // namespace

Status set_udp(Draft& draft, std::string_view)
{
    draft.plan.protocol = Protocol::kUdp;
    return {};
}

Status set_rate(Draft& draft, std::string_view value)
{
    const auto slash = value.find('/');
    if (slash != std::string_view::npos) {
        const auto burst = to_integer(
            value.substr(slash + 1), 1, kMaxBurst, "invalid burst count (maximum = 1000)");
        if (!burst) {
            return burst.error();
        }
        draft.plan.burst = static_cast<std::uint32_t>(*burst);
    }
    return store(to_rate(value.substr(0, slash)),
        [&](std::uint64_t n) { draft.plan.rate = BitRate::from_bps(n); });
}

Status set_duration(Draft& draft, std::string_view value)
{
    draft.duration_given = true;
    return store(
        to_integer(value, 0, kMaxSeconds, "test duration too long (maximum = 86400 seconds)"),
        [&](std::int64_t n) { draft.plan.duration = std::chrono::seconds{n}; });
}

Status set_bytes(Draft& draft, std::string_view value)
{
    return store(to_size(value), [&](std::uint64_t n) { draft.plan.bytes = n; });
}

Status set_blocks(Draft& draft, std::string_view value)
{
    return store(to_size(value), [&](std::uint64_t n) { draft.plan.blocks = n; });
}

Status set_length(Draft& draft, std::string_view value)
{
    return store(to_size(value), [&](std::uint64_t n) {
        // 0 lets the program choose, as in iperf3.
        draft.plan.block_bytes = n == 0 ? std::nullopt : std::optional{n};
    });
}

Status set_parallel(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 1, traffic::kMaxStreamsPerDirection,
                     "number of parallel streams too large (maximum = 128)"),
        [&](std::int64_t n) { draft.plan.parallel = static_cast<std::uint32_t>(n); });
}

Status set_reverse(Draft& draft, std::string_view)
{
    draft.plan.reverse = true;
    return {};
}

Status set_bidirectional(Draft& draft, std::string_view)
{
    draft.plan.bidirectional = true;
    return {};
}

Status set_omit(Draft& draft, std::string_view value)
{
    return store(to_integer(value, 0, kMaxOmit, "bogus value for --omit (maximum = 600 seconds)"),
        [&](std::int64_t n) { draft.plan.omit = std::chrono::seconds{n}; });
}

Status set_64bit_counters(Draft& draft, std::string_view)
{
    draft.plan.counters_64bit = true;
    return {};
}

Status set_repeating_payload(Draft& draft, std::string_view)
{
    draft.plan.repeating_payload = true;
    return {};
}

Status set_file(Draft& draft, std::string_view value)
{
    draft.plan.file = std::string{value};
    return {};
}

}  // namespace dpdkperf::options
