#include "grid.hpp"

namespace dpdkperf::tcp::sim {

namespace {

template <class T, std::size_t N>
T pick(Random& random, const T (&values)[N])
{
    return values[random.below(N)];
}

LinkSettings link(Random& random, nanoseconds delay, double rate)
{
    constexpr double kLoss[] = {0, 0, 0.001, 0.01, 0.05, 0.1, 0.3};
    constexpr double kReorder[] = {0, 0, 0.01, 0.2};
    constexpr double kRare[] = {0, 0, 0, 0.01};
    LinkSettings l;
    l.delay = delay;
    l.bits_per_second = rate;
    l.queue_bytes =
        pick(random, {std::uint64_t{15'000}, std::uint64_t{60'000}, std::uint64_t{1'000'000}});
    l.loss = pick(random, kLoss);
    if (random.chance(0.1)) {
        l.burst_enter = 0.002;
        l.burst_leave = 0.3;
    }
    l.reorder = pick(random, kReorder);
    l.reorder_delay = delay / 4 + nanoseconds{1'000};
    l.duplicate = pick(random, kRare);
    l.corrupt = pick(random, kRare);
    return l;
}

}  // namespace

Scenario grid_scenario(std::uint64_t seed)
{
    Random random{seed};
    Scenario s;
    s.seed = seed;
    constexpr double kRates[] = {0, 1e6, 10e6, 100e6, 1e9};
    const nanoseconds delay =
        pick(random, {nanoseconds{5'000}, nanoseconds{50'000}, nanoseconds{1'000'000},
                         nanoseconds{5'000'000}, nanoseconds{50'000'000}});
    const double rate = pick(random, kRates);
    for (LinkSettings& l : s.links) {
        l = link(random, delay, rate);
    }
    s.bytes[0] = random.chance(0.2) ? random.below(3'000) : random.below(400'000);
    s.bytes[1] = random.chance(0.2) ? random.below(200'000) : 0;
    s.simultaneous_open = random.chance(0.05);
    const bool sack = random.chance(0.85);
    const bool timestamps = random.chance(0.85);
    for (Settings& settings : s.settings) {
        settings.sack = sack;
        settings.timestamps = timestamps;
        settings.window_scaling = random.chance(0.9);
        settings.ecn = random.chance(0.1);
        settings.no_delay = random.chance(0.3);
        settings.mtu_bytes = pick(random, {1500U, 1500U, 9000U, 576U});
        settings.max_burst_bytes = random.chance(0.3) ? 65'000 : 0;
        settings.receive_window_bytes =
            pick(random, {std::uint64_t{4'000}, std::uint64_t{65'535}, std::uint64_t{1'000'000},
                             std::uint64_t{16'000'000}});
        settings.congestion = random.chance(0.7) ? Algorithm::kCubic : Algorithm::kReno;
    }
    s.limits = {Limits{256}, Limits{256}};
    for (LinkSettings& l : s.links) {
        l.mark_bytes = s.settings[0].ecn ? 10'000 : 0;
    }
    return s;
}

std::string run_seed(std::uint64_t seed)
{
    const Scenario scenario = grid_scenario(seed);
    Simulator simulator{scenario};
    const Outcome outcome = simulator.run();
    const auto gave_up = [&](std::size_t side) {
        return outcome.info[side].close_reason == CloseReason::kTimedOut;
    };
    // Under heavy loss all tries in a row may fail; nothing else may end a transfer.
    const bool heavy = scenario.links[0].loss + scenario.links[1].loss > 0.25 ||
                       scenario.links[0].burst_enter + scenario.links[1].burst_enter > 0;
    if (outcome.fault.empty() && heavy && (gave_up(0) || gave_up(1))) {
        return "";
    }
    std::string fault = outcome.fault;
    for (std::size_t side : {0U, 1U}) {
        const Info& info = outcome.info[side];
        if (!fault.empty()) {
            break;
        }
        if (info.close_reason != CloseReason::kDone && info.state != State::kTimeWait) {
            fault = "closed for the wrong reason";
        } else if (info.bytes_acknowledged != scenario.bytes[side] ||
                   outcome.info[1 - side].bytes_received != scenario.bytes[side]) {
            fault = "not all bytes arrived";
        }
    }
    return fault.empty() ? "" : describe(scenario) + ": " + fault;
}

}  // namespace dpdkperf::tcp::sim
