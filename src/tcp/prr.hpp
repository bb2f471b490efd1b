#pragma once

#include <algorithm>
#include <cstdint>

namespace dpdkperf::tcp {

// Proportional rate reduction (RFC 6937, with the slow start reduction bound of section 3): what
// may be sent during recovery follows what was delivered, so that there is neither a pause at its
// beginning nor a burst at its end. In slots.
class Prr {
public:
    void start(std::uint32_t in_flight, std::uint32_t ssthresh) noexcept
    {
        recover_fs_ = std::max(in_flight, 1U);
        ssthresh_ = ssthresh;
        delivered_ = 0;
        out_ = 0;
        cwnd_ = in_flight;
    }

    // An ACK delivered `delivered` slots and left `pipe` in flight. `safe`: it advanced SND.UNA and
    // showed no further loss (section 3; without that there is no +1).
    void on_ack(std::uint32_t delivered, std::uint32_t pipe, bool safe) noexcept
    {
        delivered_ += delivered;
        std::uint64_t quota = 0;
        if (pipe > ssthresh_) {
            const std::uint64_t share = delivered_ * ssthresh_ + recover_fs_ - 1;
            quota = difference(share / recover_fs_, out_);
        } else {
            const std::uint64_t bound =
                std::max<std::uint64_t>(difference(delivered_, out_), delivered) + (safe ? 1 : 0);
            quota = std::min<std::uint64_t>(ssthresh_ - pipe, bound);
        }
        if (out_ == 0) {
            quota = std::max<std::uint64_t>(quota, 1);  // the fast retransmit itself
        }
        cwnd_ = pipe + static_cast<std::uint32_t>(quota);
    }

    void on_sent(std::uint32_t slots) noexcept { out_ += slots; }

    [[nodiscard]] std::uint32_t cwnd() const { return cwnd_; }

private:
    static std::uint64_t difference(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

    std::uint64_t recover_fs_ = 1;
    std::uint32_t ssthresh_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t out_ = 0;
    std::uint32_t cwnd_ = 0;
};

}  // namespace dpdkperf::tcp
