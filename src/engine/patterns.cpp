#include "patterns.hpp"

#include <algorithm>

namespace dpdkperf::engine {

namespace {

constexpr std::size_t kPeriod = tcp::Pattern::kPeriod;
using TwoPeriods = std::span<std::byte, 2 * kPeriod>;

TwoPeriods filled(TwoPeriods to, std::span<const std::byte> period)
{
    std::ranges::copy(period, to.begin());
    std::ranges::copy(period, to.begin() + kPeriod);
    return to;
}

}  // namespace

Patterns::Patterns(const ports::PinnedBuffers* pinned) : Patterns{pinned, Filler{kPeriod}} {}

Patterns::Patterns(const ports::PinnedBuffers* pinned, const Filler& filler)
    : memory_(pinned == nullptr ? 2 * kBytes : 0),
      random_{filled(place(pinned, 0), filler.of(traffic::Filler::kRandom, 0))},
      digits_{filled(place(pinned, 1), filler.of(traffic::Filler::kDigits, 0))}
{
}

std::span<std::byte, Patterns::kBytes> Patterns::place(
    const ports::PinnedBuffers* pinned, std::size_t index)
{
    const std::span<std::byte> all = pinned == nullptr
                                         ? std::span{memory_}.subspan(index * kBytes)
                                         : std::span<std::byte>{pinned->buffer(index)};
    return all.first<kBytes>();
}

}  // namespace dpdkperf::engine
