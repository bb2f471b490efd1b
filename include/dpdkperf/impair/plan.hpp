#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/impair/impairment.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dpdkperf::impair {

// What --impair asks for. A direction without settings is left alone.
struct Plan {
    std::optional<Settings> transmit, receive;
    std::uint64_t seed = 1;

    [[nodiscard]] bool any() const { return transmit || receive; }
};

// Adds "[tx:|rx:]KEY=VALUE,..." to a plan; without a prefix it is meant for both directions.
//   loss=P%  burst=ENTER%/LEAVE%  delay=T  reorder=P%/T  dup=P%  seed=N    (T: 5ms, 100us, 1s)
// Errors (kUsage) say which part is wrong, and the plan is not to be used.
Status add(Plan& plan, std::string_view text);

// The same in words that add() takes: "tx:loss=1%,delay=5ms rx:loss=1%,delay=5ms seed=1".
std::string to_string(const Plan& plan);

}  // namespace dpdkperf::impair
