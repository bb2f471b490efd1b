#pragma once

#include "dpdkperf/base/address.hpp"
#include "dpdkperf/traffic/traffic.hpp"
#include "dpdkperf/wire/icmp_error.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace dpdkperf::engine {

struct Session;

// What control asks of a poller.
struct Command {
    enum class Kind : std::uint8_t {
        kAdd,
        kHello,
        kStart,
        kStop,
        kFinish,
        kNextHop,
        kIcmp,
        kRemove,
        kQuit
    };
    Kind kind = Kind::kQuit;
    Session* session = nullptr;
    std::uint32_t stream = 0;        // kHello
    traffic::Timetable timetable{};  // kStart
    Mac next_hop{};                  // kNextHop
    wire::IcmpError icmp{};          // kIcmp
};

// Commands from the control thread to one poller, in order. The poller pays one relaxed load a
// turn while there is none.
class CommandQueue {
public:
    // Control. False: the poller is kSize commands behind.
    bool try_push(const Command& command) noexcept
    {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_.load(std::memory_order_acquire) == kSize) {
            return false;
        }
        slots_[tail % kSize] = command;
        tail_.store(tail + 1, std::memory_order_release);
        tail_.notify_one();
        return true;
    }

    // Poller.
    [[nodiscard]] bool pending() const noexcept
    {
        return tail_.load(std::memory_order_relaxed) != taken_;
    }

    // Poller. Requires pending().
    Command pop() noexcept
    {
        std::atomic_thread_fence(std::memory_order_acquire);
        const Command command = slots_[taken_ % kSize];
        head_.store(++taken_, std::memory_order_release);
        return command;
    }

    // Poller: sleeps until there is a command.
    void wait() const noexcept { tail_.wait(taken_, std::memory_order_acquire); }

private:
    static constexpr std::uint32_t kSize = 64;

    alignas(64) std::atomic<std::uint32_t> tail_{0};  // control: writes
    alignas(64) std::atomic<std::uint32_t> head_{0};  // poller: writes
    std::uint32_t taken_ = 0;                         // poller's copy of head_
    std::array<Command, kSize> slots_{};
};

}  // namespace dpdkperf::engine
