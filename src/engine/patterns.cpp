#include "patterns.hpp"

#include "filler.hpp"

#include <algorithm>

namespace dpdkperf::engine {

namespace {

constexpr std::size_t kPeriod = tcp::Pattern::kPeriod;
using TwoPeriods = std::span<std::byte, 2 * kPeriod>;

TwoPeriods filled(TwoPeriods to, traffic::Filler kind)
{
    const Filler filler{kPeriod};
    const auto period = filler.of(kind, 0);
    std::ranges::copy(period, to.begin());
    std::ranges::copy(period, to.begin() + kPeriod);
    return to;
}

}  // namespace

Patterns::Patterns(const ports::PinnedBuffers* pinned)
    : memory_(pinned == nullptr ? 2 * kBytes : 0),
      random_{filled(place(pinned, 0), traffic::Filler::kRandom)},
      digits_{filled(place(pinned, 1), traffic::Filler::kDigits)}
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
