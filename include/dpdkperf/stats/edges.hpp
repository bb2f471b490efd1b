#pragma once

#include <chrono>
#include <cstdint>

namespace dpdkperf::stats {

// A moment at which all pollers copy their counters.
struct Edge {
    std::uint64_t number = 0;        // 1, 2, 3, …
    std::chrono::nanoseconds at{0};  // since the start of the test
    bool closes_interval = false;    // a report interval ends here
    bool ends_omit = false;          // the omitted part (-O) ends here
};

// The moments of a test, fixed before it starts: every `interval` from the start, begun anew at
// the end of `omit`. As in iperf3 (3.12, src/iperf_client_api.c, client_omit_timer_proc), the part
// of an interval that the end of omit cuts off is not reported. Pure and constant.
class EdgeSchedule {
public:
    EdgeSchedule() = default;
    // interval 0: no intervals. omit 0: nothing is omitted, and no edge ends it.
    EdgeSchedule(std::chrono::nanoseconds omit, std::chrono::nanoseconds interval);

    [[nodiscard]] std::chrono::nanoseconds omit() const { return omit_; }
    // False if there is no edge `number`: only with an interval of 0.
    [[nodiscard]] bool has(std::uint64_t number) const;
    // Requires has(number).
    [[nodiscard]] Edge edge(std::uint64_t number) const;

private:
    std::chrono::nanoseconds omit_{0};
    std::chrono::nanoseconds interval_{0};
    std::uint64_t omitted_ = 0;  // edges up to and with the end of omit
};

}  // namespace dpdkperf::stats
