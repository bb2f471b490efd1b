#pragma once

#include "dpdkperf/ports/pinned_buffers.hpp"
#include "dpdkperf/tcp/content.hpp"
#include "dpdkperf/traffic/traffic.hpp"
#include "filler.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace dpdkperf::engine {

// What TCP streams repeat, made once per process.
class Patterns {
public:
    // Lie in `pinned`, which then outlives this; null: in memory of our own.
    explicit Patterns(const ports::PinnedBuffers* pinned);

    [[nodiscard]] const tcp::Pattern& of(traffic::Filler kind) const
    {
        return kind == traffic::Filler::kDigits ? digits_ : random_;
    }

private:
    Patterns(const ports::PinnedBuffers* pinned, const Filler& filler);

    static constexpr std::size_t kBytes = std::size_t{2} * tcp::Pattern::kPeriod;
    static_assert(kBytes <= ports::PinnedBuffers::kBytes);

    std::span<std::byte, kBytes> place(const ports::PinnedBuffers* pinned, std::size_t index);

    std::vector<std::byte> memory_;
    tcp::Pattern random_, digits_;
};

}  // namespace dpdkperf::engine
