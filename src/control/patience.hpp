#pragma once

#include "dpdkperf/base/result.hpp"
#include "dpdkperf/base/time.hpp"
#include "dpdkperf/proto/session.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace dpdkperf::control {

// How long a client goes on trying to reach a server that is not ready yet (--wait). Times come
// from the caller.
class Patience {
public:
    // Between two tries.
    static constexpr std::chrono::milliseconds kPause{250};
    // For a connection that neither comes nor fails. The kernel's own tries come ever more seldom.
    static constexpr std::chrono::milliseconds kLongestTry{5000}, kShortestTry{1000};

    // Without `wait` there is one try, as long as it takes.
    Patience(std::optional<std::chrono::seconds> wait, Moment now) : wait_{wait}
    {
        end_ = now + wait.value_or(std::chrono::seconds{0});
    }

    // When to try again; empty: it is time to give up. The last try is made when the time is over.
    [[nodiscard]] std::optional<Moment> next_try(Moment now) const
    {
        return now < end_ ? std::optional{std::min(now + kPause, end_)} : std::nullopt;
    }

    // How long a connection may take to come; empty: as long as the kernel lets it. `asked`: by
    // the user, of each try.
    [[nodiscard]] std::optional<std::chrono::milliseconds> of_connection(
        std::optional<std::chrono::milliseconds> asked, Moment now) const
    {
        if (asked || !wait_) {
            return asked;
        }
        return std::clamp(
            std::chrono::ceil<std::chrono::milliseconds>(end_ - now), kShortestTry, kLongestTry);
    }

private:
    std::optional<std::chrono::seconds> wait_;
    Moment end_;
};

// Whether there may be a server later where now there is none: it refuses, is silent, or cannot be
// reached.
inline bool may_pass(const Error& error)
{
    return error.code == Errc::kPeer || error.code == Errc::kTimeout;
}

// The same of a conversation before its test: the server serves somebody else.
inline bool may_pass(const proto::Failed& failed)
{
    return failed.by_peer && failed.failure.number == proto::IperfError::kBusy;
}

}  // namespace dpdkperf::control
